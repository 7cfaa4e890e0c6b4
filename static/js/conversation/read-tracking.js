// Notes what has really been seen: the newest of others' messages whose end was in view while somebody looked at the
// page. Says "seen" to the log when there is more of it.
import { hear } from "realtime/events";
import { askLater } from "shared/retry-after";
import { log } from "conversation/message-log";

const WAIT = 400; // ms: one request for what comes into view together

const token = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=csrfmiddlewaretoken]"))?.value;

/** What the server knows to be read, and what was seen here. */
let readSeq = Number(log?.dataset.readSeq);
/** @type {HTMLElement | null} */
let seen = null;
let timer = 0;
/** @type {Set<HTMLElement>} */
const inView = new Set();

/** @param {HTMLElement} message */
const seqOf = (message) => Number(message.dataset.seq);

/** The number of the last message that counts as read. */
export function seenSeq() {
  return Math.max(readSeq, seen ? seqOf(seen) : 0);
}

/** @param {HTMLElement} log */
async function send(log) {
  clearTimeout(timer);
  if (!seen || !token || seqOf(seen) <= readSeq) return;
  const seq = seqOf(seen);
  const body = new URLSearchParams({ created_at: seen.id.slice(1) });
  const headers = { "X-CSRFToken": token, Accept: "application/json" };
  try {
    const response = await fetch(log.dataset.readUrl ?? "", { method: "POST", body, headers, keepalive: true });
    if (response.ok) readSeq = Math.max(readSeq, seq);
    else askLater(response, () => send(log));
  } catch {
    // Without a network nothing is noted; the next message seen, or the next look at the page, tries again.
  }
}

/** @param {HTMLElement} log */
function look(log) {
  if (document.visibilityState !== "visible" || !document.hasFocus()) return;
  for (const message of inView) if (seqOf(message) > seenSeq()) seen = message;
  if (!seen || seqOf(seen) <= readSeq) return;
  clearTimeout(timer);
  timer = setTimeout(send, WAIT, log);
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
      look(log);
    },
    { root: log },
  );
  /** @param {Iterable<HTMLElement>} messages */
  const observe = (messages) => {
    for (const message of messages) {
      // Its time stands at its end: a message may be longer than the screen.
      const end = message.querySelector(".message__aside");
      if (end && message.matches(".message:not(.message--own)") && seqOf(message) > seenSeq()) observer.observe(end);
    }
  };
  observe(log.querySelectorAll(/** @type {"li"} */ ("li.message")));
  hear("thread:added", ({ messages }) => observe(messages));
  hear("live:read", ({ group, read_seq }) => {
    if (group === log.dataset.group) readSeq = Math.max(readSeq, read_seq);
  });
  document.addEventListener("visibilitychange", () => look(log));
  addEventListener("focus", () => look(log));
  addEventListener("online", () => look(log));
  addEventListener("pagehide", () => send(log));
}

if (log?.dataset.readUrl) start(log);
