// Applies live events to the list of conversations and to the unread badge.
import {
  countersOf,
  isMuted,
  isOpen,
  raiseCounters,
  renderPreview,
  renderTyping,
  renderUnread,
  unreadCount,
} from "conversation-list/conversation-row";
import { refreshRows } from "conversation-list/refresh";
import { initialUnread, renderUnreadBadge } from "page/unread-badge";
import { on } from "realtime/events";

const DELAY = 300; // ms: one request for several events
const TYPING = 6_000; // ms that "typing…" is shown
const LATE = 1_000; // ms: a typing event this soon after a message was sent before it

const body = document.querySelector(".inbox__body[data-rows-url]");
/** Unread messages in conversations that are not in the list. */
let elsewhere = Math.max(0, initialUnread() - unreadInList());
let timer = 0;
/** @type {Map<string, number>} */
const typing = new Map();
/** @type {Map<string, number>} */
const lastMessageAt = new Map();

/** @returns {HTMLElement[]} */
function rows() {
  return [...(body?.querySelectorAll(/** @type {"li"} */ ("li.conversation[data-group]")) ?? [])];
}

/** Conversations that may have left the list, until the next refresh. @type {Set<string>} */
const changed = new Set();

/** @param {string} group */
const rowOf = (group) => rows().find(({ dataset }) => dataset.group === group);

function unreadInList() {
  return rows().reduce((sum, row) => sum + (isMuted(row) ? 0 : unreadCount(row)), 0);
}

/** @param {HTMLElement[]} changedRows */
function renderCounts(changedRows) {
  changedRows.forEach(renderUnread);
  renderUnreadBadge(elsewhere + unreadInList());
}

/** Request the list: an event concerns a conversation that is not in it or may have left it. */
function scheduleRefresh() {
  clearTimeout(timer);
  timer = setTimeout(refresh, DELAY);
}

async function refresh() {
  const requested = [...changed];
  changed.clear();
  const unread = body && (await refreshRows(body, requested, scheduleRefresh));
  if (unread === null) {
    for (const group of requested) changed.add(group);
    return;
  }
  elsewhere = Math.max(0, unread - unreadInList());
  for (const row of rows()) move(row);
  renderCounts(rows());
}

/**
 * Move a row to its position by time, usually the top.
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
function onMessage({ group, seq, version, created_at, own, preview, html }) {
  const row = rowOf(group);
  stopTyping(group);
  if (!own) lastMessageAt.set(group, performance.now());
  if (!row) return scheduleRefresh();
  raiseCounters(row, { version, ...(own && { sentSeq: seq }) });
  if (raiseCounters(row, { lastSeq: seq })) {
    row.dataset.at = created_at;
    renderPreview(row, { preview, own, html });
    move(row);
  }
  renderCounts([row]);
}

/** @param {import("realtime/events").AmendedEvent} change */
function onAmended({ group, seq, version, own, preview, html }) {
  const row = rowOf(group);
  if (!row) return scheduleRefresh();
  const isNewer = raiseCounters(row, { version });
  if (isNewer && seq === countersOf(row).lastSeq) renderPreview(row, { preview, own, html });
}

/** @param {{group: string, read_seq: number}} read */
function onRead({ group, read_seq: readSeq }) {
  const row = rowOf(group);
  if (!row) return scheduleRefresh();
  raiseCounters(row, { readSeq });
  renderCounts([row]);
}

/**
 * Handle a conversation that was muted, archived, blocked, accepted, or marked unread, which lowers `read_seq`.
 *
 * @param {{group: string, read_seq: number | null}} change
 */
function onChanged({ group, read_seq: readSeq }) {
  const row = rowOf(group);
  if (row && readSeq !== null) {
    row.dataset.readSeq = String(readSeq);
    renderCounts([row]);
  } else {
    changed.add(group);
    scheduleRefresh();
  }
}

/** @param {{group: string}} typist */
function startTyping({ group }) {
  const row = rowOf(group);
  if (!row || performance.now() - (lastMessageAt.get(group) ?? -LATE) < LATE) return;
  clearTimeout(typing.get(group));
  renderTyping(row, true);
  typing.set(group, setTimeout(stopTyping, TYPING, group));
}

/** @param {string} group */
function stopTyping(group) {
  clearTimeout(typing.get(group));
  const row = typing.delete(group) && rowOf(group);
  if (row) renderTyping(row, false);
}

if (body) {
  on("live:message", onMessage);
  on("live:amended", onAmended);
  on("live:read", onRead);
  on("live:changed", onChanged);
  on("live:typing", startTyping);
  on("live:hint", ({ group, version }) => {
    if (version > (countersOf(rowOf(group) ?? document.body).version || 0)) scheduleRefresh();
  });
  // The event of the message may have come before this page was connected.
  on("outbox:acknowledged", ({ group, seq }) => {
    const row = rowOf(group);
    if (!row || countersOf(row).lastSeq < seq) scheduleRefresh();
  });
  on("live:up", scheduleRefresh);
  on("live:resync", scheduleRefresh);
  const onFocusChange = () => renderCounts(rows().filter(isOpen));
  addEventListener("focus", onFocusChange);
  addEventListener("blur", onFocusChange);
  document.addEventListener("visibilitychange", () => {
    onFocusChange();
    if (document.visibilityState === "visible") scheduleRefresh();
  });
  onFocusChange();
}
