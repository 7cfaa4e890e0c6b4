// Sends the outbox: the messages of a conversation in order, one tab at a time. Failed sends are retried with the same
// uuid, so that no message is stored twice.
import { log } from "conversation/message-log";
import { groups, next, remove, unsent, update } from "outbox/outbox";
import { emit, on } from "realtime/events";
import { user, userKey } from "shared/current-user";
import { post } from "shared/post";

/** @typedef {import("outbox/outbox").Unsent} Unsent */

const MAX_ATTEMPTS = 5;
const MIN_PAUSE = 1_000; // ms, doubled after each attempt
const MAX_PAUSE = 30_000; // ms
const SYNC_TIMEOUT = 5_000; // ms to wait for the messages of others
// Errors worth a retry; for all others the user decides.
const TRANSIENT = new Set(["network", "unavailable", "signed_out"]);

const channel = user ? new BroadcastChannel(userKey("outbox")) : null;
/** Conversations that this tab sends in or waits to send in. @type {Set<string>} */
const running = new Set();
/** Pauses before another attempt. @type {Set<() => void>} */
const sleepers = new Set();

/** @param {string} group */
export async function send(group) {
  if (running.has(group)) return;
  running.add(group);
  await withLock(userKey(`sending:${group}`), async () => {
    for (let item = next(group); item; item = next(group)) await deliver(item);
  });
  running.delete(group);
  if (next(group)) send(group);
}

/**
 * Continue to send, including messages that failed with a transient error.
 *
 * @param {string} [group]
 */
function resume(group) {
  if (!group) return;
  for (const item of unsent(group)) if (TRANSIENT.has(item.failed ?? "")) update(item, { failed: undefined });
  for (const wake of sleepers) wake();
  send(group);
}

/** @param {Unsent} item */
async function deliver(item) {
  for (let attempt = 1; ; attempt++) {
    await waitForNetwork();
    const { message_uuid, after, text, group } = item;
    const result = await post(item.url, { message_uuid, after, message: text });
    if (result.status >= 200 && result.status < 300) return acknowledge(item, result.body);
    const code = codeOf(result);
    const busy = result.status === 429;
    if (!TRANSIENT.has(code) || code === "signed_out" || (attempt >= MAX_ATTEMPTS && !busy && navigator.onLine)) {
      return fail(item, code);
    }
    // The server's Retry-After takes precedence over the back-off.
    if (result.retryAfter !== null) await new Promise((resolve) => setTimeout(resolve, result.retryAfter ?? 0));
    else await pause(backOff(attempt));
    if (next(group)?.message_uuid !== item.message_uuid) return;
  }
}

/** @param {number} attempt @returns {number} ms, randomized so that clients do not retry at once */
function backOff(attempt) {
  return Math.min(MAX_PAUSE, MIN_PAUSE * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
}

/** @param {Unsent} item @param {any} body */
function acknowledge(item, body) {
  const { group, message_uuid } = item;
  const detail = { ...body, group, message_uuid };
  channel?.postMessage(detail);
  emit("outbox:acknowledged", detail);
  remove(item);
}

/**
 * Mark a message as failed. Later messages of the conversation fail with it, to keep the order, unless the error
 * concerns this message alone.
 *
 * @param {Unsent} item @param {string} code
 */
function fail(item, code) {
  const items = ["refused", "message_uuid_reused"].includes(code) ? [item] : unsent(item.group);
  for (const each of items) if (!each.failed) update(each, { failed: code });
}

/** @param {import("shared/post").Result} result */
function codeOf({ status, error }) {
  if (status === 0) return "network";
  if (status === 404) return "not_found";
  if (status === 429 || status >= 500) return "unavailable";
  if (["blocked", "awaiting_answer", "signed_out", "message_uuid_reused"].includes(error)) return error;
  return error === "csrf" ? "unavailable" : "refused";
}

/** @param {string} name @param {() => Promise<void>} work */
async function withLock(name, work) {
  // Without locks (a page without TLS) two tabs may post the same message: the server stores it once.
  await (navigator.locks ? navigator.locks.request(name, work) : work());
}

async function waitForNetwork() {
  while (!navigator.onLine) await pause(MAX_PAUSE);
}

/**
 * Wait, at most until something happens that makes another attempt worthwhile.
 *
 * @param {number} ms
 * @returns {Promise<void>}
 */
function pause(ms) {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      sleepers.delete(wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    sleepers.add(wake);
  });
}

if (user) {
  const open = log?.dataset.syncUrl ? log.dataset.group : undefined;
  let timer = 0;
  // Left-over messages of the open conversation are sent after it is synchronized, but not later than the timeout.
  let isWaiting = false;
  const resumeOpen = () => {
    clearTimeout(timer);
    isWaiting = false;
    resume(open);
  };
  const resumeAll = () => {
    for (const group of groups()) if (group !== open) resume(group);
    isWaiting = open !== undefined && unsent(open).length > 0;
    clearTimeout(timer);
    if (isWaiting) timer = setTimeout(resumeOpen, SYNC_TIMEOUT);
  };
  on("outbox:changed", ({ group }) => {
    // Also for messages of another tab: this one takes over if that one closes.
    if (!isWaiting || group !== open) send(group);
  });
  // The message was stored, even if the response is lost or late.
  on("live:message", ({ own, group, message_uuid }) => own && remove({ group, message_uuid }));
  on("conversation:synced", resumeOpen);
  addEventListener("online", resumeAll);
  channel?.addEventListener("message", ({ data }) => emit("outbox:acknowledged", data));
  resumeAll();
}
