// Stores what a user wrote and has not sent in this browser, under their uuid. shared/current-user clears it when they
// sign out.
import { key } from "shared/current-user";

/** What the browser would not keep, as it is full: lasts as long as the page. @type {Map<string, string>} */
const memory = new Map();

/**
 * @param {string} name
 * @returns {any} what was saved, or null
 */
export function load(name) {
  try {
    return JSON.parse(memory.get(name) ?? localStorage.getItem(key(name)) ?? "null");
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
    localStorage.setItem(key(name), text);
  } catch {
    memory.set(name, text);
  }
}

/** @param {string} name */
export function drop(name) {
  memory.delete(name);
  localStorage.removeItem(key(name));
}

/**
 * @param {string} prefix
 * @returns {string[]} the names of all that is kept and begins so
 */
export function names(prefix) {
  const whole = key("");
  const kept = Object.keys(localStorage).filter((each) => each.startsWith(whole));
  return [...new Set([...kept.map((each) => each.slice(whole.length)), ...memory.keys()])].filter((each) =>
    each.startsWith(prefix),
  );
}

/**
 * Calls with the name of what another tab has changed.
 *
 * @param {(name: string) => void} listener
 */
export function onChangeElsewhere(listener) {
  const whole = key("");
  addEventListener("storage", (event) => {
    if (event.key?.startsWith(whole)) listener(event.key.slice(whole.length));
  });
}
