// Shows "Jump to newest · 3 new" over the log while the user is scrolled up.
import { log } from "conversation/message-log";
import { replaceWindow } from "conversation/message-window";
import { seenSeq } from "conversation/read-tracking";
import { isAtBottom } from "conversation/scroll-anchor";
import { on } from "realtime/events";

const MIN_DISTANCE = 0.5; // of the visible height

const jump = /** @type {HTMLAnchorElement | null} */ (document.querySelector(".jump"));

/** Count the messages of others that were not seen yet, loaded or not. @param {HTMLElement} log */
function countUnseen(log) {
  const seen = seenSeq();
  let newest = 0;
  let number = 0;
  for (const message of [...log.querySelectorAll(/** @type {"li"} */ ("li.message[id]"))].reverse()) {
    const seq = Number(message.dataset.seq);
    newest ||= seq;
    if (seq <= seen) break;
    if (!message.matches(".message--own")) number += 1;
  }
  const notLoaded = "atEnd" in log.dataset ? 0 : Number(log.dataset.lastSeq) - Math.max(newest, seen);
  return number + Math.max(0, notLoaded);
}

/**
 * @param {HTMLElement} log
 * @param {HTMLAnchorElement} jump
 */
function update(log, jump) {
  const unseen = countUnseen(log);
  const isAway = -log.scrollTop > log.clientHeight * MIN_DISTANCE || (unseen > 0 && !isAtBottom(log));
  jump.hidden = "atEnd" in log.dataset && !isAway;
  const label = jump.querySelector("span");
  const count = label?.querySelector(".jump__count");
  if (!label || !count || count.textContent === String(unseen)) return;
  count.textContent = String(unseen);
  label.hidden = unseen === 0;
  // A new element: an old one whose text grows would count as a layout shift.
  label.replaceWith(label.cloneNode(true));
}

/** Scroll to the newest messages, and load them unless they are loaded. */
export async function jumpToNewest() {
  if (!log || !jump) return;
  if (!("atEnd" in log.dataset)) {
    const response = await fetch(jump.dataset.windowUrl ?? "", { headers: { Accept: "text/html" }, redirect: "error" });
    if (!response.ok) throw new Error(response.statusText);
    log.dataset.atEnd = "";
    replaceWindow(await response.text(), Number(log.dataset.lastSeq));
  }
  log.scrollTop = 0;
}

/**
 * @param {HTMLElement} log
 * @param {HTMLAnchorElement} jump
 */
function start(log, jump) {
  let frame = 0;
  const scheduleUpdate = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => update(log, jump));
  };
  log.addEventListener("scroll", scheduleUpdate, { passive: true });
  log.addEventListener("seen", scheduleUpdate);
  addEventListener("resize", scheduleUpdate);
  on("live:message", scheduleUpdate);
  on("live:read", scheduleUpdate);
  on("conversation:messages-added", ({ messages }) => {
    scheduleUpdate();
    // Own new messages are appended after the newest message: scroll there.
    if (!("atEnd" in log.dataset) && messages.some(({ dataset }) => dataset.state)) jumpToNewest().catch(() => {});
  });
  jump.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    jumpToNewest().then(
      () => log.focus({ preventScroll: true }),
      () => location.assign(jump.href),
    );
  });
  scheduleUpdate();
}

if (log?.dataset.readUrl && jump) start(log, jump);
