// Lets the list of conversations follow what happens, and with it the number of unread messages everywhere on the page.
import { hear } from "realtime/events";
import {
  isCurrent,
  isMuted,
  numbersOf,
  raise,
  showMessage,
  showTyping,
  showUnreadOf,
  unreadOf,
} from "conversation-list/conversation-row";
import { loadRows } from "conversation-list/refresh";
import { showUnread, unreadAtLoad } from "page/unread-badge";

const SOON = 300; // ms: one request for what comes together
const TYPING = 6_000; // ms
const LATE = 1_000; // ms after a message: what says that somebody types was sent before it

const body = document.querySelector(".inbox__body[data-rows-url]");
/** Unread in conversations that are not in the list. */
let elsewhere = Math.max(0, unreadAtLoad() - unreadInList());
let asking = 0;
/** @type {Map<string, number>} */
const typing = new Map();
/** @type {Map<string, number>} */
const wroteAt = new Map();

/** @returns {HTMLElement[]} */
function rows() {
  return [...(body?.querySelectorAll(/** @type {"li"} */ ("li.conversation[data-group]")) ?? [])];
}

/** Conversations that may have left the list. @type {Set<string>} */
const changed = new Set();

/** @param {string} group */
const rowOf = (group) => rows().find(({ dataset }) => dataset.group === group);

function unreadInList() {
  return rows().reduce((sum, row) => sum + (isMuted(row) ? 0 : unreadOf(row)), 0);
}

/** @param {HTMLElement[]} some */
function show(some) {
  some.forEach(showUnreadOf);
  showUnread(elsewhere + unreadInList());
}

/** Ask for the list: a conversation is not in it, or may have changed otherwise. */
function askSoon() {
  clearTimeout(asking);
  asking = setTimeout(ask, SOON);
}

async function ask() {
  const gone = [...changed];
  changed.clear();
  const unread = body && (await loadRows(body, gone, askSoon));
  if (unread === null) {
    for (const group of gone) changed.add(group);
    return;
  }
  elsewhere = Math.max(0, unread - unreadInList());
  for (const row of rows()) move(row);
  show(rows());
}

/**
 * Bring a row to where its time says; most often that is the top.
 *
 * @param {HTMLElement} row
 */
function move(row) {
  const at = row.dataset.at ?? "";
  const next = rows().find((other) => other !== row && (other.dataset.at ?? "") < at);
  if (!next || next === row.nextElementSibling) return;
  const focused = row.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  next.before(row);
  focused?.focus({ preventScroll: true });
}

/** @param {import("realtime/events").MessageEvent} message */
function arrive({ group, seq, version, created_at, own, preview, html }) {
  const row = rowOf(group);
  stopTyping(group);
  if (!own) wroteAt.set(group, performance.now());
  if (!row) return askSoon();
  raise(row, { version, ...(own && { sentSeq: seq }) });
  if (raise(row, { lastSeq: seq })) {
    row.dataset.at = created_at;
    showMessage(row, { preview, own, html });
    move(row);
  }
  show([row]);
}

/** @param {import("realtime/events").AmendedEvent} change */
function amend({ group, seq, version, own, preview, html }) {
  const row = rowOf(group);
  if (!row) return askSoon();
  const isNews = raise(row, { version });
  if (isNews && seq === numbersOf(row).lastSeq) showMessage(row, { preview, own, html });
}

/** @param {{group: string, read_seq: number}} read */
function haveRead({ group, read_seq: readSeq }) {
  const row = rowOf(group);
  if (!row) return askSoon();
  raise(row, { readSeq });
  show([row]);
}

/**
 * Muted, archived, blocked, accepted, marked unread: only the last goes backwards.
 *
 * @param {{group: string, read_seq: number | null}} change
 */
function change({ group, read_seq: readSeq }) {
  const row = rowOf(group);
  if (row && readSeq !== null) {
    row.dataset.readSeq = String(readSeq);
    show([row]);
  } else {
    changed.add(group);
    askSoon();
  }
}

/** @param {{group: string}} typist */
function startTyping({ group }) {
  const row = rowOf(group);
  if (!row || performance.now() - (wroteAt.get(group) ?? -LATE) < LATE) return;
  clearTimeout(typing.get(group));
  showTyping(row, true);
  typing.set(group, setTimeout(stopTyping, TYPING, group));
}

/** @param {string} group */
function stopTyping(group) {
  clearTimeout(typing.get(group));
  const row = typing.delete(group) && rowOf(group);
  if (row) showTyping(row, false);
}

if (body) {
  hear("live:message", arrive);
  hear("live:amended", amend);
  hear("live:read", haveRead);
  hear("live:changed", change);
  hear("live:typing", startTyping);
  hear("live:hint", ({ group, version }) => {
    if (version > (numbersOf(rowOf(group) ?? document.body).version || 0)) askSoon();
  });
  // Its message may have come before this page listened.
  hear("outbox:acknowledged", ({ group, seq }) => {
    const row = rowOf(group);
    if (!row || numbersOf(row).lastSeq < seq) askSoon();
  });
  hear("live:up", askSoon);
  hear("live:resync", askSoon);
  const look = () => show(rows().filter(isCurrent));
  addEventListener("focus", look);
  addEventListener("blur", look);
  document.addEventListener("visibilitychange", () => {
    look();
    if (document.visibilityState === "visible") askSoon();
  });
  look();
}
