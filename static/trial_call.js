// The trial call of the API page. The key goes to the API with a call that the reader sends, and nowhere else.
"use strict";

const SHOWN_MAX = 50_000;
const form = document.querySelector("[data-try]");
const kind = form.querySelector("#try-kind");
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
  for (const field of buying.querySelectorAll("[data-kinds]")) {
    const kinds = field.dataset.kinds;
    field.hidden = kinds !== "" && !kinds.split(" ").includes(kind.value);
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
