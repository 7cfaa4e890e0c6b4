// Tracks the newest message of others whose end was in view while the page was visible and focused, and reports it to
// the server. Dispatches "seen" on the log when it changes.
import { log } from "conversation/message-log";
import { on } from "realtime/events";
import { retryLater } from "shared/retry-after";

const DELAY = 400; // ms: one request for messages that come into view together

const token = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"))?.value;

/** The last message that the server knows to be read. */
let readSeq = Number(log?.dataset.readSeq);
/** The last message seen on this page. @type {HTMLElement | null} */
let seen = null;
let timer = 0;
/** @type {Set<HTMLElement>} */
const inView = new Set();

/** @param {HTMLElement} message */
const seqOf = (message) => Number(message.dataset.seq);

/** Return the number of the last message that counts as read. */
export function seenSeq() {
  return Math.max(readSeq, seen ? seqOf(seen) : 0);
}

/** @param {HTMLElement} log */
async function report(log) {
  clearTimeout(timer);
  if (!seen || !token || seqOf(seen) <= readSeq) return;
  const seq = seqOf(seen);
  const body = new URLSearchParams({ created_at: seen.id.slice(1) });
  const headers = { "X-CSRFToken": token, Accept: "application/json" };
  try {
    const response = await fetch(log.dataset.readUrl ?? "", { method: "POST", body, headers, keepalive: true });
    if (response.ok) readSeq = Math.max(readSeq, seq);
    else retryLater(response, () => report(log));
  } catch {
    // Without a network: the next message seen, or the next focus of the page, reports it.
  }
}

/** @param {HTMLElement} log */
function update(log) {
  if (document.visibilityState !== "visible" || !document.hasFocus()) return;
  for (const message of inView) if (seqOf(message) > seenSeq()) seen = message;
  if (!seen || seqOf(seen) <= readSeq) return;
  clearTimeout(timer);
  timer = setTimeout(report, DELAY, log);
  log.dispatchEvent(new Event("seen"));
}

/** @param {HTMLElement} log */
function start(log) {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        const message = /** @type {HTMLElement | null} */ (target.closest(".message"));
        if (message && isIntersecting) inView.add(message);
        else if (message) inView.delete(message);
      }
      update(log);
    },
    { root: log },
  );
  /** @param {Iterable<HTMLElement>} messages */
  const observe = (messages) => {
    for (const message of messages) {
      // The time is at the end of a message, which may be taller than the screen.
      const end = message.querySelector(".message__aside");
      if (end && message.matches(".message:not(.message--own)") && seqOf(message) > seenSeq()) observer.observe(end);
    }
  };
  observe(log.querySelectorAll(/** @type {"li"} */ ("li.message")));
  on("conversation:messages-added", ({ messages }) => observe(messages));
  on("live:read", ({ group, read_seq }) => {
    if (group === log.dataset.group) readSeq = Math.max(readSeq, read_seq);
  });
  document.addEventListener("visibilitychange", () => update(log));
  addEventListener("focus", () => update(log));
  addEventListener("online", () => update(log));
  addEventListener("pagehide", () => report(log));
}

if (log?.dataset.readUrl) start(log);
