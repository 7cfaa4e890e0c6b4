// Events between modules, dispatched on the document. `Events` lists their names and details.

/**
 * @typedef {{group: string, seq: number, version: number, created_at: string, user: string, own: boolean,
 *   message_uuid: string, preview: string, html: string}} MessageEvent
 * @typedef {{group: string, seq: number, version: number, created_at: string, user: string, own: boolean,
 *   deleted: boolean, newest: boolean, preview: string, html: string}} AmendedEvent
 * @typedef {{group: string, message_uuid: string, created_at: string, seq: number, version: number, html: string,
 *   url?: string}} Acknowledgement
 *
 * @typedef {{
 *   "live:message": MessageEvent,
 *   "live:amended": AmendedEvent,
 *   "live:hint": {group: string, version: number},
 *   "live:read": {group: string, read_seq: number},
 *   "live:changed": {group: string, read_seq: number | null},
 *   "live:seen": {group: string, user: string, seq: number},
 *   "live:typing": {group: string, user: string},
 *   "live:up": {},
 *   "live:down": {reason: string},
 *   "live:resync": {},
 *   "live:retry": {},
 *   "conversation:synced": {seen_seq?: number},
 *   "conversation:messages-added": {messages: HTMLElement[]},
 *   "outbox:acknowledged": Acknowledgement,
 *   "outbox:changed": {group: string},
 *   "drafts:changed": {group: string},
 *   "composer:changed": {},
 * }} Events
 */

/**
 * Dispatch an event to all modules.
 *
 * @template {keyof Events} Name
 * @param {Name} name
 * @param {Events[Name]} detail
 */
export function emit(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

/**
 * Call `listener` with the detail of each event of this name.
 *
 * @template {keyof Events} Name
 * @param {Name} name
 * @param {(detail: Events[Name]) => void} listener
 */
export function on(name, listener) {
  document.addEventListener(name, (event) => listener(/** @type {CustomEvent<Events[Name]>} */ (event).detail));
}
