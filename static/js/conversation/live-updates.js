// Applies live events to the open conversation: new messages, edits and deletions.
import { log, upsertMessages } from "conversation/message-log";
import { expectVersion, markShown, version } from "conversation/versions";
import { on } from "realtime/events";

/** @param {import("realtime/events").Acknowledgement} message */
function onMessage({ group, seq, version, created_at, message_uuid, html }) {
  if (!log || group !== log.dataset.group) return;
  if (seq === Number(log.dataset.lastSeq) + 1) {
    log.dataset.lastSeq = String(seq);
    log.dataset.newest = created_at;
  }
  const id = `m${created_at}`;
  if ("atEnd" in log.dataset && !document.getElementById(id)) upsertMessages([{ html, message_uuid }]);
  markShown(version);
}

/** @param {import("realtime/events").AmendedEvent} change */
function onAmended({ group, version: number, created_at, html }) {
  if (!log || group !== log.dataset.group) return;
  if (number > version() && document.getElementById(`m${created_at}`)) upsertMessages([{ html }]);
  markShown(number);
}

if (log?.dataset.group) {
  const { group: open } = log.dataset;
  on("live:message", onMessage);
  on("outbox:acknowledged", onMessage);
  on("live:amended", onAmended);
  on("live:hint", ({ group, version }) => {
    if (group === open) expectVersion(version);
  });
}
