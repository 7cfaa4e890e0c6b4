// Shows that the other writes, in the place that is kept for it, and tells the other that one does.
import { hear } from "realtime/events";
import { log } from "conversation/message-log";

const SHOWN = 6_000; // ms
const EVERY = 3_000; // ms between two that are sent
const LATE = 1_000; // ms after a message: what comes within was sent before it

const line = document.querySelector(".typing[role=status]");
const words = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template#typing"));
const field = /** @type {HTMLTextAreaElement | null} */ (document.querySelector("#composer-text"));
const token = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"))?.value;

let who = "";
let timer = 0;
let sentAt = -EVERY;
let wroteAt = -LATE;

/** @param {string} user */
function show(user) {
  if (performance.now() - wroteAt < LATE) return;
  clearTimeout(timer);
  timer = setTimeout(hide, SHOWN);
  if (who !== user && words) line?.replaceChildren(words.content.cloneNode(true));
  who = user;
}

function hide() {
  clearTimeout(timer);
  line?.replaceChildren();
  who = "";
}

async function send() {
  if (!field?.value.trim() || performance.now() - sentAt < EVERY || field.form?.hasAttribute("data-editing")) return;
  sentAt = performance.now();
  try {
    const headers = { "X-CSRFToken": token ?? "" };
    await fetch(log?.dataset.typingUrl ?? "", { method: "POST", headers, redirect: "manual" });
  } catch {
    // Nobody misses it.
  }
}

if (log?.dataset.typingUrl && line) {
  const { group: open } = log.dataset;
  hear("live:typing", ({ group, user }) => {
    if (group === open) show(user);
  });
  hear("live:message", ({ group, own }) => {
    if (group !== open || own) return;
    wroteAt = performance.now();
    hide();
  });
  field?.addEventListener("input", send);
  // A message that was sent has ended the writing; the next one begins at once.
  hear("outbox:acknowledged", () => (sentAt = -EVERY));
}
