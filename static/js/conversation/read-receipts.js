// Under the newest of one's own messages stands whether it was seen; if it was not, an older one may say so beside it.
import { hear } from "realtime/events";
import { steadily } from "conversation/scroll-anchor";
import { log, pending } from "conversation/message-log";

const marks = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template#message-marks"));
let seenSeq = 0;

/** @param {string} name */
function mark(name) {
  const found = marks?.content.querySelector(`[data-mark="${name}"]`);
  return /** @type {HTMLElement} */ (found?.cloneNode(true));
}

/** @param {HTMLElement} log */
function update(log) {
  steadily(log, () => show(log));
}

/** @param {HTMLElement} log */
function show(log) {
  const own = /** @type {HTMLElement[]} */ ([...log.querySelectorAll(".message--own[data-seq][id]")]);
  // While others are on their way, how it stands is said under the last of those; so nothing moves when they are sent.
  const newest = "atEnd" in log.dataset && !pending().length ? own.at(-1) : undefined;
  const seen = own.findLast(({ dataset }) => Number(dataset.seq) <= seenSeq);
  for (const old of log.querySelectorAll(".message--own[id] > .message__status")) {
    if (old.parentElement !== newest) old.remove();
  }
  for (const old of log.querySelectorAll(".message__seen")) if (old.closest(".message") !== seen) old.remove();
  if (newest && !newest.matches(".message--deleted")) showStatus(newest, newest === seen ? "seen" : "sent");
  if (seen && seen !== newest && !seen.querySelector(".message__seen")) {
    seen.querySelector(".message__aside")?.append(mark("beside"));
  }
}

/**
 * @param {HTMLElement} message
 * @param {string} name
 */
function showStatus(message, name) {
  const there = message.querySelector(":scope > .message__status");
  const status = mark(name);
  if (there instanceof HTMLElement && there.dataset.mark === name) return;
  if (there) there.replaceWith(status);
  else message.append(status);
}

if (log?.dataset.group && marks) {
  const thread = log;
  const { group: open } = log.dataset;
  /** @param {number | undefined} seq */
  const reached = (seq = 0) => {
    seenSeq = Math.max(seenSeq, seq);
    update(thread);
  };
  hear("thread:caught-up", ({ seen_seq }) => reached(seen_seq));
  hear("live:seen", ({ group, seq }) => {
    if (group === open) reached(seq);
  });
  hear("thread:added", () => update(thread));
}
