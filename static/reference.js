// The API pages: put the reader's key into the examples, remember the language, copy code.
// The key lives in the page alone: it is never stored.
"use strict";

const LANGUAGE = "vitrine.language";

// ---------------------------------------------------------------- the key
const keyInputs = [...document.querySelectorAll("[data-key-input]")];

function useKey(text) {
  for (const input of keyInputs) if (input.value !== text) input.value = text;
  for (const place of document.querySelectorAll("[data-key]")) place.textContent = text.trim() || "YOUR_KEY";
}

for (const input of keyInputs) input.addEventListener("input", () => useKey(input.value));

// ---------------------------------------------------------------- the language
const languages = [...document.querySelectorAll("[data-language]")];

function speak(language) {
  for (const choice of languages) if (choice.value === language) choice.checked = true;
}

for (const choice of languages) {
  choice.addEventListener("change", () => {
    const before = choice.getBoundingClientRect().top;
    speak(choice.value);
    // The examples above have changed their heights: what the reader clicked stays where it was.
    window.scrollBy({ top: choice.getBoundingClientRect().top - before, behavior: "instant" });
    try {
      localStorage.setItem(LANGUAGE, choice.value);
    } catch {
      // A browser that keeps nothing: the choice holds for this page.
    }
  });
}
try {
  speak(localStorage.getItem(LANGUAGE));
} catch {
  // As above.
}

// ---------------------------------------------------------------- copying
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-code]");
  if (!button || !navigator.clipboard) return;
  const code = [...button.closest(".code").querySelectorAll("pre")].find((pre) => pre.offsetParent);
  await navigator.clipboard.writeText(code.textContent.trim());
  const words = button.querySelector("span");
  const before = words.textContent;
  words.textContent = button.dataset.copied;
  setTimeout(() => { words.textContent = before; }, 2000);
});

// ---------------------------------------------------------------- where the reader is
const entries = new Map([...document.querySelectorAll(".reference .sidenav a")].map((link) => [link.hash.slice(1), link]));
const watch = new IntersectionObserver((seen) => {
  for (const part of seen) {
    if (!part.isIntersecting) continue;
    for (const link of entries.values()) link.removeAttribute("aria-current");
    entries.get(part.target.id).setAttribute("aria-current", "location");
  }
}, { rootMargin: "-15% 0px -80% 0px" });
for (const name of entries.keys()) watch.observe(document.getElementById(name));
