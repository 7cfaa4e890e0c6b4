// Lets the open conversation follow what happens: messages come in their place, once, and change in their place.
import { hear } from "realtime/events";
import { isSaid, isShown, version } from "conversation/versions";
import { log, put } from "conversation/message-log";

/** @param {import("realtime/events").Acknowledgement} message */
function arrive({ group, seq, version, created_at, message_uuid, html }) {
  if (!log || group !== log.dataset.group) return;
  if (seq === Number(log.dataset.lastSeq) + 1) {
    log.dataset.lastSeq = String(seq);
    log.dataset.newest = created_at;
  }
  const id = `m${created_at}`;
  if ("atEnd" in log.dataset && !document.getElementById(id)) put([{ html, message_uuid }]);
  isShown(version);
}

/** @param {import("realtime/events").AmendedEvent} change */
function amend({ group, version: number, created_at, html }) {
  if (!log || group !== log.dataset.group) return;
  if (number > version() && document.getElementById(`m${created_at}`)) put([{ html }]);
  isShown(number);
}

if (log?.dataset.group) {
  const { group: open } = log.dataset;
  hear("live:message", arrive);
  hear("outbox:acknowledged", arrive);
  hear("live:amended", amend);
  hear("live:hint", ({ group, version }) => {
    if (group === open) isSaid(version);
  });
}
