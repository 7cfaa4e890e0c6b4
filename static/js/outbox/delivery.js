// Sends what is in the outbox: a conversation's messages one after another, by one tab at a time, again and again until
// the server has answered, always with the same uuid, so that nothing is stored twice.
import { hear, say } from "realtime/events";
import { key, user } from "shared/current-user";
import { log } from "conversation/message-log";
import { groups, next, remove, unsent, update } from "outbox/outbox";
import { post } from "shared/post";

/** @typedef {import("outbox/outbox").Unsent} Unsent */

const TRIES = 5;
const FIRST_PAUSE = 1_000; // ms, doubled each time
const LONGEST_PAUSE = 30_000; // ms
const CATCH_UP = 5_000; // ms: so long others' messages are waited for
// What passes by itself; everything else waits for the person.
const PASSES = new Set(["network", "unavailable", "signed_out"]);

const others = user ? new BroadcastChannel(key("outbox")) : null;
/** The conversations that this tab is sending in, or waits to send in. @type {Set<string>} */
const running = new Set();
/** What waits for another try. @type {Set<() => void>} */
const sleepers = new Set();

/** @param {string} group */
export async function send(group) {
  if (running.has(group)) return;
  running.add(group);
  await alone(key(`sending:${group}`), async () => {
    for (let item = next(group); item; item = next(group)) await deliver(item);
  });
  running.delete(group);
  if (next(group)) send(group);
}

/**
 * Goes on, also with what failed for a reason that may have passed.
 *
 * @param {string} [group]
 */
function resume(group) {
  if (!group) return;
  for (const item of unsent(group)) if (PASSES.has(item.failed ?? "")) update(item, { failed: undefined });
  for (const wake of sleepers) wake();
  send(group);
}

/** @param {Unsent} item */
async function deliver(item) {
  for (let tries = 1; ; tries++) {
    await online();
    const { message_uuid, after, text, group } = item;
    const answer = await post(item.url, { message_uuid, after, message: text });
    if (answer.status >= 200 && answer.status < 300) return acknowledge(item, answer.body);
    const code = codeOf(answer);
    const busy = answer.status === 429;
    if (!PASSES.has(code) || code === "signed_out" || (tries >= TRIES && !busy && navigator.onLine)) {
      return fail(item, code);
    }
    // When the server says when, that is kept to.
    if (answer.retryAfter !== null) await new Promise((resolve) => setTimeout(resolve, answer.retryAfter ?? 0));
    else await pause(backOff(tries));
    if (next(group)?.message_uuid !== item.message_uuid) return;
  }
}

/** @param {number} tries @returns {number} ms, by chance, so that not everybody comes back at once */
function backOff(tries) {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
}

/** @param {Unsent} item @param {any} body */
function acknowledge(item, body) {
  const { group, message_uuid } = item;
  const detail = { ...body, group, message_uuid };
  others?.postMessage(detail);
  say("outbox:acknowledged", detail);
  remove(item);
}

/**
 * What came after it would fail likewise, or be out of order; only what is wrong with the message itself is its own.
 *
 * @param {Unsent} item @param {string} code
 */
function fail(item, code) {
  const alike = ["refused", "message_uuid_reused"].includes(code) ? [item] : unsent(item.group);
  for (const each of alike) if (!each.failed) update(each, { failed: code });
}

/** @param {import("shared/post").Answer} answer */
function codeOf({ status, error }) {
  if (status === 0) return "network";
  if (status === 404) return "not_found";
  if (status === 429 || status >= 500) return "unavailable";
  if (["blocked", "awaiting_answer", "signed_out", "message_uuid_reused"].includes(error)) return error;
  return error === "csrf" ? "unavailable" : "refused";
}

/** @param {string} name @param {() => Promise<void>} work */
async function alone(name, work) {
  // Without locks, as on a page without TLS, two tabs may post the same: it is stored once all the same.
  await (navigator.locks ? navigator.locks.request(name, work) : work());
}

async function online() {
  while (!navigator.onLine) await pause(LONGEST_PAUSE);
}

/**
 * @param {number} ms until then, or until something happens that makes another try worth while
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
  const open = log?.dataset.sinceUrl ? log.dataset.group : undefined;
  let timer = 0;
  // Where others' messages are shown, what is left from before follows them; but not for ever.
  let waits = false;
  const now = () => {
    clearTimeout(timer);
    waits = false;
    resume(open);
  };
  const soon = () => {
    for (const group of groups()) if (group !== open) resume(group);
    waits = open !== undefined && unsent(open).length > 0;
    clearTimeout(timer);
    if (waits) timer = setTimeout(now, CATCH_UP);
  };
  hear("outbox:changed", ({ group }) => {
    // Also what another tab has put there: this one takes over should that one go away.
    if (!waits || group !== open) send(group);
  });
  // Stored, though the answer may be lost or still under way.
  hear("live:message", ({ own, group, message_uuid }) => own && remove({ group, message_uuid }));
  hear("thread:caught-up", now);
  addEventListener("online", soon);
  others?.addEventListener("message", ({ data }) => say("outbox:acknowledged", data));
  soon();
}
