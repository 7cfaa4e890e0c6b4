// Stores what a user wrote and has not sent in this browser, under their uuid. shared/current-user removes it when they
// sign out.
import { userKey } from "shared/current-user";

/** What did not fit into the browser's storage; lost with the page. @type {Map<string, string>} */
const memory = new Map();

/**
 * @param {string} name
 * @returns {any} what was saved, or null
 */
export function load(name) {
  try {
    return JSON.parse(memory.get(name) ?? localStorage.getItem(userKey(name)) ?? "null");
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {object} value
 */
export function save(name, value) {
  const text = JSON.stringify(value);
  memory.delete(name);
  try {
    localStorage.setItem(userKey(name), text);
  } catch {
    memory.set(name, text);
  }
}

/** @param {string} name */
export function discard(name) {
  memory.delete(name);
  localStorage.removeItem(userKey(name));
}

/**
 * @param {string} prefix
 * @returns {string[]} the names of all entries that begin with `prefix`
 */
export function names(prefix) {
  const whole = userKey("");
  const stored = Object.keys(localStorage).filter((each) => each.startsWith(whole));
  return [...new Set([...stored.map((each) => each.slice(whole.length)), ...memory.keys()])].filter((each) =>
    each.startsWith(prefix),
  );
}

/**
 * Call `listener` with the name of each entry that another tab changes.
 *
 * @param {(name: string) => void} listener
 */
export function onOtherTabChange(listener) {
  const whole = userKey("");
  addEventListener("storage", (event) => {
    if (event.key?.startsWith(whole)) listener(event.key.slice(whole.length));
  });
}
