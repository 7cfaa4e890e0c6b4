// Synchronizes the open conversation with the server, as events may be lost: when the stream opens, when the page gets
// the focus, when the network is back, when a change is missing, and every minute.
import { log, upsertMessages } from "conversation/message-log";
import { replaceWindow } from "conversation/message-window";
import { markShownUpTo, resetToVersion, version } from "conversation/versions";
import { emit, on } from "realtime/events";
import { redirectToLanding, reloadPage } from "shared/current-user";
import { retryLater } from "shared/retry-after";

const INTERVAL = 60_000; // ms

/**
 * @typedef {{version: number, last_seq: number, seen_seq: number, after: string, more: boolean,
 *   messages: {seq: number, created_at: string, own: boolean, html: string, message_uuid: string | null}[],
 *   replace: string | null, write_permission: string}} SyncResult
 */

let isRunning = false;
let runAgain = false;

async function sync() {
  if (isRunning) {
    runAgain = true;
    return;
  }
  isRunning = true;
  try {
    do {
      runAgain = false;
      const result = await request();
      if (result) apply(result);
    } while (runAgain);
  } catch {
    // Without a network or a server: the next occasion synchronizes.
  } finally {
    isRunning = false;
  }
}

/** @returns {Promise<SyncResult | null>} */
async function request() {
  if (!log) return null;
  const loaded = [...log.querySelectorAll(".message[id]")].map(({ id }) => id.slice(1));
  const { newest = "" } = log.dataset;
  const known = new URLSearchParams({ after: newest, version: String(version()), first: loaded[0] ?? "" });
  if (!("atEnd" in log.dataset)) known.set("last", loaded.at(-1) ?? "");
  const response = await fetch(`${log.dataset.syncUrl}?${known}`, {
    headers: { Accept: "application/json" },
    cache: "no-store",
    redirect: "manual",
  });
  if (response.type === "opaqueredirect") redirectToLanding();
  if (response.status === 404) reloadPage();
  if (!response.ok) retryLater(response, sync);
  return response.ok ? response.json() : null;
}

/** @param {SyncResult} result */
function apply(result) {
  if (!log) return;
  // A changed permission to write changes more than the log. Reloading keeps what was written, as a draft.
  if (result.write_permission !== log.dataset.writePermission) reloadPage();
  if (result.replace !== null) {
    replaceWindow(result.replace, result.last_seq);
    runAgain ||= resetToVersion(result.version);
  } else {
    if ("atEnd" in log.dataset) upsertMessages(result.messages);
    if (!result.more) markShownUpTo(result.version);
  }
  runAgain ||= result.more;
  if (result.after > (log.dataset.newest ?? "")) log.dataset.newest = result.after;
  if (!result.more) log.dataset.lastSeq = String(Math.max(result.last_seq, Number(log.dataset.lastSeq)));
  if (!runAgain) emit("conversation:synced", { seen_seq: result.seen_seq });
}

if (log?.dataset.syncUrl) {
  for (const name of /** @type {const} */ (["live:up", "live:resync"])) on(name, sync);
  const { group: open } = log.dataset;
  on("live:changed", ({ group }) => {
    if (group === open) sync();
  });
  addEventListener("online", sync);
  addEventListener("focus", sync);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && sync());
  setInterval(sync, INTERVAL);
}
