// "Jump to newest · 3 new": there when one has scrolled up, over the log, so that its coming and going moves nothing.
import { hear } from "realtime/events";
import { replaceWindow } from "conversation/message-window";
import { seenSeq } from "conversation/read-tracking";
import { isAtBottom } from "conversation/scroll-anchor";
import { log } from "conversation/message-log";

const AWAY = 0.5; // of the height in view

const jump = /** @type {HTMLAnchorElement | null} */ (document.querySelector(".jump"));

/** How many of others' messages were not seen yet, loaded or not. @param {HTMLElement} log */
function unseen(log) {
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
function show(log, jump) {
  const news = unseen(log);
  const isAway = -log.scrollTop > log.clientHeight * AWAY || (news > 0 && !isAtBottom(log));
  jump.hidden = "atEnd" in log.dataset && !isAway;
  const words = jump.querySelector("span");
  const count = words?.querySelector(".jump__count");
  if (!words || !count || count.textContent === String(news)) return;
  count.textContent = String(news);
  words.hidden = news === 0;
  // As new words: the old ones would count as moved, where a number gets longer.
  words.replaceWith(words.cloneNode(true));
}

/** Show the newest messages, loaded anew where the end is not loaded. */
export async function toNewest() {
  if (!log || !jump) return;
  if (!("atEnd" in log.dataset)) {
    const response = await fetch(jump.dataset.part ?? "", { headers: { Accept: "text/html" }, redirect: "error" });
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
  const soon = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => show(log, jump));
  };
  log.addEventListener("scroll", soon, { passive: true });
  log.addEventListener("seen", soon);
  addEventListener("resize", soon);
  hear("live:message", soon);
  hear("live:read", soon);
  hear("thread:added", ({ messages }) => {
    soon();
    // What one writes stands after the newest message, so that is where one goes.
    if (!("atEnd" in log.dataset) && messages.some(({ dataset }) => dataset.state)) toNewest().catch(() => {});
  });
  jump.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    toNewest().then(
      () => log.focus({ preventScroll: true }),
      () => location.assign(jump.href),
    );
  });
  soon();
}

if (log?.dataset.readUrl && jump) start(log, jump);
