// What is to be sent, in order, kept until the server has acknowledged it. One entry of the storage a message, so that
// tabs do not overwrite each other's.
import { say } from "realtime/events";
import { drop, load, names, onChangeElsewhere, save } from "shared/user-storage";

/**
 * @typedef {object} Unsent
 * @property {string} group
 * @property {string} url where it is posted
 * @property {string} message_uuid
 * @property {string} after the newest created_at known when the uuid was made
 * @property {string} text
 * @property {number} at ms, when it was written; later than what was written before it
 * @property {string} [failed] why it waits for the person to try again or discard it
 */

const PREFIX = "outbox:";

/** @param {{group: string, message_uuid: string}} item */
const nameOf = ({ group, message_uuid: uuid }) => `${PREFIX}${group}:${uuid}`;

/**
 * @param {string} [group] of all conversations when left out
 * @returns {Unsent[]} in the order they were written
 */
export function unsent(group) {
  const items = names(group ? `${PREFIX}${group}:` : PREFIX).map(load);
  return items.filter(Boolean).sort((one, other) => one.at - other.at);
}

/**
 * @param {string} group
 * @returns {Unsent | undefined} what is to be sent next
 */
export function next(group) {
  return unsent(group).find(({ failed }) => !failed);
}

/** @returns {string[]} the conversations with something unsent */
export function groups() {
  return [...new Set(unsent().map(({ group }) => group))];
}

/** @param {Omit<Unsent, "at">} item */
export function add(item) {
  const last = unsent(item.group).at(-1)?.at ?? 0;
  save(nameOf(item), { ...item, at: Math.max(Date.now(), last + 1) });
  changed(item.group);
}

/**
 * Changes what is still there: another tab may have sent or discarded it.
 *
 * @param {Unsent} item
 * @param {Partial<Unsent>} change
 */
export function update(item, change) {
  const now = load(nameOf(item));
  if (!now) return;
  const anew = { ...now, ...change };
  if (nameOf(anew) !== nameOf(item)) drop(nameOf(item));
  save(nameOf(anew), anew);
  changed(item.group);
}

/**
 * It was stored, or is not wanted any more.
 *
 * @param {{group: string, message_uuid: string}} item
 */
export function remove(item) {
  if (!load(nameOf(item))) return;
  drop(nameOf(item));
  changed(item.group);
}

/** @param {string} group */
function changed(group) {
  say("outbox:changed", { group });
}

onChangeElsewhere((name) => {
  if (name.startsWith(PREFIX)) changed(name.split(":")[1]);
});
