// The API pages: put the reader's key into the examples, remember the language, copy code.
// The key lives in the page alone: it is never stored, and it goes to the API only with a call that the reader sends.
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

// ---------------------------------------------------------------- the trial call
const SHOWN_MAX = 50_000;

function setUpTrialCall(form) {
  const serviceType = form.querySelector("#try-type");
  const send = form.querySelector("[data-send]");
  const result = form.querySelector("[data-result]");
  const apart = form.querySelector("[data-apart]");
  const buying = form.querySelector(".fields[data-of]");

  for (const field of [...apart.querySelectorAll(".field")]) buying.append(field);
  apart.remove();

  function isAsked(place) {
    const action = form.elements.action.value;
    const of = place.closest("[data-of]");
    return !of || of.dataset.of.split(" ").includes(action);
  }

  function arrange() {
    for (const field of buying.querySelectorAll("[data-types]")) {
      const types = field.dataset.types;
      field.hidden = types !== "" && !types.split(" ").includes(serviceType.value);
    }
    const isBuying = form.elements.action.value === "add";
    send.textContent = isBuying ? send.dataset.buy : send.dataset.send;
  }

  function asked() {
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      const place = form.querySelector(`[name="${name}"]`);
      if (value !== "" && !place.closest("[hidden]") && isAsked(place)) body.append(name, value);
    }
    return body;
  }

  function pretty(text) {
    let shown = text;
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // Not JSON: shown as it came.
    }
    return shown.length > SHOWN_MAX ? `${shown.slice(0, SHOWN_MAX)}\n${result.dataset.cut}` : shown;
  }

  function tell(tone, words, took, text) {
    const told = result.querySelector("[data-told]");
    told.dataset.tone = tone;
    told.textContent = words;
    result.querySelector("[data-took]").textContent = took;
    result.querySelector("[data-answer]").textContent = text;
    result.querySelector(".code").hidden = text === "";
    result.hidden = false;
  }

  form.addEventListener("change", arrange);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wait = form.querySelector("[data-wait]");
    send.disabled = true;
    wait.hidden = false;
    const start = performance.now();
    const took = () => `${Math.round(performance.now() - start)} ms`;
    try {
      // Not form.action: that is the field of this name.
      const answer = await fetch(form.getAttribute("action"), {
        method: "POST", body: asked(), credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(30_000),
      });
      const text = await answer.text();
      const isError = !answer.ok || text.startsWith('{"error"');
      tell(isError ? "danger" : "success", `HTTP ${answer.status}`, took(), pretty(text));
    } catch {
      tell("danger", result.dataset.silent, took(), "");
    } finally {
      send.disabled = false;
      wait.hidden = true;
    }
  });
  arrange();
}

const trial = document.querySelector("[data-try]");
if (trial) setUpTrialCall(trial);
