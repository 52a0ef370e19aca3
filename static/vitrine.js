// Optional enhancements: every page works without scripts. Menus close on Escape and on a click outside; a button
// copies a text; an error is hidden when its field is edited.
"use strict";

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}

document.addEventListener("click", (event) => {
  closeMenus(event.target.closest("details.menu"));
  const button = event.target.closest("button[data-copy]");
  if (button && navigator.clipboard) {
    navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim()).then(() => {
      button.textContent = button.dataset.copied;
    });
  }
});

// Hide a field's error as soon as the field is edited: only the server can check the new value.
document.addEventListener("input", (event) => {
  if (event.target.getAttribute("aria-invalid") !== "true") return;
  event.target.removeAttribute("aria-invalid");
  for (const id of (event.target.getAttribute("aria-describedby") || "").split(" ")) {
    const error = document.getElementById(id);
    if (error && error.matches(".field-error")) error.hidden = true;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = document.querySelector("details.menu[open]");
  if (event.key === "Escape" && menu) {
    closeMenus(null);
    menu.querySelector("summary").focus();
  }
});

// After a live search, put the query into the page's address, so that Back, reloading and sharing the link keep it.
document.addEventListener("htmx:afterRequest", (event) => {
  const address = event.detail.xhr?.getResponseHeader("HX-Replace-Url");
  if (event.detail.successful && address) history.replaceState(null, "", address);
});
