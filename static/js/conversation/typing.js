// Shows that the other member is typing, in space reserved for it, and reports when this user types.
import { log } from "conversation/message-log";
import { on } from "realtime/events";

const SHOWN = 6_000; // ms
const REPORT_INTERVAL = 3_000; // ms
const LATE = 1_000; // ms: a typing event this soon after a message was sent before it

const line = document.querySelector(".typing[role=status]");
const template = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template#typing"));
const field = /** @type {HTMLTextAreaElement | null} */ (document.querySelector("#composer-text"));
const token = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"))?.value;

let typingUser = "";
let timer = 0;
let reportedAt = -REPORT_INTERVAL;
let lastMessageAt = -LATE;

/** @param {string} user */
function show(user) {
  if (performance.now() - lastMessageAt < LATE) return;
  clearTimeout(timer);
  timer = setTimeout(hide, SHOWN);
  if (typingUser !== user && template) line?.replaceChildren(template.content.cloneNode(true));
  typingUser = user;
}

function hide() {
  clearTimeout(timer);
  line?.replaceChildren();
  typingUser = "";
}

async function report() {
  if (!field?.value.trim() || field.form?.hasAttribute("data-editing")) return;
  if (performance.now() - reportedAt < REPORT_INTERVAL) return;
  reportedAt = performance.now();
  try {
    const headers = { "X-CSRFToken": token ?? "" };
    await fetch(log?.dataset.typingUrl ?? "", { method: "POST", headers, redirect: "manual" });
  } catch {
    // A lost report does no harm.
  }
}

if (log?.dataset.typingUrl && line) {
  const { group: open } = log.dataset;
  on("live:typing", ({ group, user }) => {
    if (group === open) show(user);
  });
  on("live:message", ({ group, own }) => {
    if (group !== open || own) return;
    lastMessageAt = performance.now();
    hide();
  });
  field?.addEventListener("input", report);
  // Sending ends the typing, so typing the next message is reported at once.
  on("outbox:acknowledged", () => (reportedAt = -REPORT_INTERVAL));
}
