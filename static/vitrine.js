// Small comforts; every page works without them. Menus close on Escape and on a click beside them; a button
// copies a text; an error goes when its field is changed.
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

// What was wrong with a field is said until it is changed; what it is now, the server says.
document.addEventListener("input", (event) => {
  if (event.target.getAttribute("aria-invalid") !== "true") return;
  event.target.removeAttribute("aria-invalid");
  for (const id of (event.target.getAttribute("aria-describedby") || "").split(" ")) {
    const said = document.getElementById(id);
    if (said && said.matches(".field-error")) said.hidden = true;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = document.querySelector("details.menu[open]");
  if (event.key === "Escape" && menu) {
    closeMenus(null);
    menu.querySelector("summary").focus();
  }
});

// The list was searched as one typed: the page's address says so, for "back", a reload and a link that is passed on.
document.addEventListener("htmx:afterRequest", (event) => {
  const address = event.detail.xhr?.getResponseHeader("HX-Replace-Url");
  if (event.detail.successful && address) history.replaceState(null, "", address);
});
