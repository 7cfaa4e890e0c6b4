// Which changes of the open conversation are on screen. Each gives it the next version, so a missing one is noticed.
import { say } from "realtime/events";
import { log } from "conversation/message-log";

const PATIENCE = 300; // ms: what is only late comes within

/** @type {Set<number>} */
const early = new Set();
let timer = 0;

/** The version up to which all is on screen. */
export function version() {
  return Number(log?.dataset.version);
}

/** @param {number} number */
function set(number) {
  if (!log) return;
  let reached = number;
  while (early.delete(reached + 1)) reached += 1;
  log.dataset.version = String(reached);
  for (const each of early) if (each <= reached) early.delete(each);
}

/** @param {() => boolean} missing */
function lookSoon(missing) {
  clearTimeout(timer);
  timer = setTimeout(() => missing() && say("live:resync", {}), PATIENCE);
}

/**
 * This change is on screen.
 *
 * @param {number} number
 */
export function isShown(number) {
  if (number <= version()) return;
  early.add(number);
  set(version());
  if (early.size) lookSoon(() => early.size > 0);
}

/**
 * There is this change, which may not be on screen.
 *
 * @param {number} number
 */
export function isSaid(number) {
  if (number > version()) lookSoon(() => number > version());
}

/**
 * All changes up to this one are on screen.
 *
 * @param {number} number
 */
export function areShown(number) {
  set(Math.max(number, version()));
}

/**
 * What is on screen is as it was at this version; returns whether later ones had been, too.
 *
 * @param {number} number
 */
export function isAsOf(number) {
  const later = early.size > 0 || version() > number;
  early.clear();
  set(number);
  return later;
}
