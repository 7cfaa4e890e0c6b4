// Shows "Sent" or "Seen" under the newest own message, and marks the newest own message that was seen.
import { log, pendingMessages } from "conversation/message-log";
import { anchorScroll } from "conversation/scroll-anchor";
import { on } from "realtime/events";

const template = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template#receipt-marks"));
let seenSeq = 0;

/** @param {string} name */
function cloneMark(name) {
  const found = template?.content.querySelector(`[data-mark="${name}"]`);
  return /** @type {HTMLElement} */ (found?.cloneNode(true));
}

/** @param {HTMLElement} log */
function update(log) {
  anchorScroll(log, () => show(log));
}

/** @param {HTMLElement} log */
function show(log) {
  const own = /** @type {HTMLElement[]} */ ([...log.querySelectorAll(".message--own[data-seq][id]")]);
  // While messages are being sent, the last of them shows the status, so that nothing moves when they are stored.
  const newest = "atEnd" in log.dataset && !pendingMessages().length ? own.at(-1) : undefined;
  const seen = own.findLast(({ dataset }) => Number(dataset.seq) <= seenSeq);
  for (const old of log.querySelectorAll(".message--own[id] > .message__status")) {
    if (old.parentElement !== newest) old.remove();
  }
  for (const old of log.querySelectorAll(".message__seen")) if (old.closest(".message") !== seen) old.remove();
  if (newest && !newest.matches(".message--deleted")) showStatus(newest, newest === seen ? "seen" : "sent");
  if (seen && seen !== newest && !seen.querySelector(".message__seen")) {
    seen.querySelector(".message__aside")?.append(cloneMark("beside"));
  }
}

/**
 * @param {HTMLElement} message
 * @param {string} name
 */
function showStatus(message, name) {
  const old = message.querySelector(":scope > .message__status");
  const status = cloneMark(name);
  if (old instanceof HTMLElement && old.dataset.mark === name) return;
  if (old) old.replaceWith(status);
  else message.append(status);
}

if (log?.dataset.group && template) {
  const conversationLog = log;
  const { group: open } = log.dataset;
  /** @param {number | undefined} seq */
  const onSeen = (seq = 0) => {
    seenSeq = Math.max(seenSeq, seq);
    update(conversationLog);
  };
  on("conversation:synced", ({ seen_seq }) => onSeen(seen_seq));
  on("live:seen", ({ group, seq }) => {
    if (group === open) onSeen(seq);
  });
  on("conversation:messages-added", () => update(conversationLog));
}
