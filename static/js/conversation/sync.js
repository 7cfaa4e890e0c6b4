// Compares the open conversation with the server's and makes good what is missing, as events may be lost: whenever the
// stream opens, the page is looked at again, the network is back, something was missed, and every minute.
import { hear, say } from "realtime/events";
import { leave, reload } from "shared/current-user";
import { areShown, isAsOf, version } from "conversation/versions";
import { replaceWindow } from "conversation/message-window";
import { askLater } from "shared/retry-after";
import { log, put } from "conversation/message-log";

const EVERY = 60_000; // ms

/**
 * @typedef {{version: number, last_seq: number, seen_seq: number, after: string, more: boolean,
 *   messages: {seq: number, created_at: string, own: boolean, html: string, message_uuid: string | null}[],
 *   replace: string | null, standing: string}} Answer
 */

let running = false;
let again = false;

async function catchUp() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  try {
    do {
      again = false;
      const answer = await ask();
      if (answer) apply(answer);
    } while (again);
  } catch {
    // Without a network or a server there is nothing to compare with; the next occasion comes.
  } finally {
    running = false;
  }
}

/** @returns {Promise<Answer | null>} */
async function ask() {
  if (!log) return null;
  const loaded = [...log.querySelectorAll(".message[id]")].map(({ id }) => id.slice(1));
  const { newest = "" } = log.dataset;
  const have = new URLSearchParams({ after: newest, version: String(version()), first: loaded[0] ?? "" });
  if (!("atEnd" in log.dataset)) have.set("last", loaded.at(-1) ?? "");
  const response = await fetch(`${log.dataset.sinceUrl}?${have}`, {
    headers: { Accept: "application/json" },
    cache: "no-store",
    redirect: "manual",
  });
  if (response.type === "opaqueredirect") leave();
  if (response.status === 404) reload();
  if (!response.ok) askLater(response, catchUp);
  return response.ok ? response.json() : null;
}

/** @param {Answer} answer */
function apply(answer) {
  if (!log) return;
  // Whether one can write is not only the log's matter: what is written is kept as a draft.
  if (answer.standing !== log.dataset.standing) reload();
  if (answer.replace !== null) {
    replaceWindow(answer.replace, answer.last_seq);
    again ||= isAsOf(answer.version);
  } else {
    if ("atEnd" in log.dataset) put(answer.messages);
    if (!answer.more) areShown(answer.version);
  }
  again ||= answer.more;
  if (answer.after > (log.dataset.newest ?? "")) log.dataset.newest = answer.after;
  if (!answer.more) log.dataset.lastSeq = String(Math.max(answer.last_seq, Number(log.dataset.lastSeq)));
  if (!again) say("thread:caught-up", { seen_seq: answer.seen_seq });
}

if (log?.dataset.sinceUrl) {
  for (const name of /** @type {const} */ (["live:up", "live:resync"])) hear(name, catchUp);
  const { group: open } = log.dataset;
  hear("live:changed", ({ group }) => {
    if (group === open) catchUp();
  });
  addEventListener("online", catchUp);
  addEventListener("focus", catchUp);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && catchUp());
  setInterval(catchUp, EVERY);
}
