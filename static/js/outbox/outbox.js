// Stores messages in order until the server has acknowledged them. Each message is a storage entry of its own, so that
// tabs do not overwrite each other's.
import { emit } from "realtime/events";
import { discard, load, names, onOtherTabChange, save } from "shared/user-storage";

/**
 * @typedef {object} Unsent
 * @property {string} group
 * @property {string} url to post to
 * @property {string} message_uuid
 * @property {string} after created_at of the newest message known when the uuid was generated
 * @property {string} text
 * @property {number} at ms, when it was written; later than that of earlier messages
 * @property {string} [failed] error code; the user may retry or discard the message
 */

const PREFIX = "outbox:";

/** @param {{group: string, message_uuid: string}} item */
const nameOf = ({ group, message_uuid: uuid }) => `${PREFIX}${group}:${uuid}`;

/**
 * @param {string} [group] all conversations if left out
 * @returns {Unsent[]} in the order they were written
 */
export function unsent(group) {
  const items = names(group ? `${PREFIX}${group}:` : PREFIX).map(load);
  return items.filter(Boolean).sort((one, other) => one.at - other.at);
}

/**
 * @param {string} group
 * @returns {Unsent | undefined} the message to send next
 */
export function next(group) {
  return unsent(group).find(({ failed }) => !failed);
}

/** @returns {string[]} the conversations with unsent messages */
export function groups() {
  return [...new Set(unsent().map(({ group }) => group))];
}

/** @param {Omit<Unsent, "at">} item */
export function add(item) {
  const last = unsent(item.group).at(-1)?.at ?? 0;
  save(nameOf(item), { ...item, at: Math.max(Date.now(), last + 1) });
  emitChanged(item.group);
}

/**
 * Change a message, unless another tab has sent or discarded it.
 *
 * @param {Unsent} item
 * @param {Partial<Unsent>} change
 */
export function update(item, change) {
  const stored = load(nameOf(item));
  if (!stored) return;
  const updated = { ...stored, ...change };
  if (nameOf(updated) !== nameOf(item)) discard(nameOf(item));
  save(nameOf(updated), updated);
  emitChanged(item.group);
}

/**
 * Remove a message that was stored by the server or discarded by the user.
 *
 * @param {{group: string, message_uuid: string}} item
 */
export function remove(item) {
  if (!load(nameOf(item))) return;
  discard(nameOf(item));
  emitChanged(item.group);
}

/** @param {string} group */
function emitChanged(group) {
  emit("outbox:changed", { group });
}

onOtherTabChange((name) => {
  if (name.startsWith(PREFIX)) emitChanged(name.split(":")[1]);
});
