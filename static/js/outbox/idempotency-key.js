// What makes sending the same message again harmless: a uuid, and the newest message that was known when it was made.
import { log } from "conversation/message-log";

/** @returns {string} */
export function newUuid() {
  // A page without TLS has no randomUUID.
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-a$4-$5");
}

/** @returns {string} created_at of the newest message this page knows; empty for none */
export function newestKnown() {
  const after = /** @type {HTMLInputElement | null} */ (document.querySelector("#composer [name=after]"))?.value ?? "";
  const shown = [...(log?.querySelectorAll(".message[id]") ?? [])].at(-1)?.id.slice(1) ?? "";
  return [after, shown, log?.dataset.newest ?? ""].reduce((one, other) => (one > other ? one : other));
}

/**
 * The pair of a form that the server gave back with a problem: the text in it is the same message as long as it is not
 * changed.
 *
 * @param {HTMLFormElement} form with `data-tried`, the text it was tried with
 * @param {string} text
 * @returns {{message_uuid: string, after: string} | null}
 */
export function triedPair(form, text) {
  if (!form.dataset.tried || form.dataset.tried !== text) return null;
  const values = new FormData(form);
  return { message_uuid: String(values.get("message_uuid")), after: String(values.get("after")) };
}
