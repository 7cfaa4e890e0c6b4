// Tracks which changes of the open conversation are on the page. Each change has the next version, so a gap means that
// one is missing.
import { log } from "conversation/message-log";
import { emit } from "realtime/events";

const DELAY = 300; // ms: a change that is only late arrives within

/** Versions on the page that are above a gap. @type {Set<number>} */
const early = new Set();
let timer = 0;

/** Return the version up to which every change is on the page. */
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

/** @param {() => boolean} isMissing */
function scheduleCheck(isMissing) {
  clearTimeout(timer);
  timer = setTimeout(() => isMissing() && emit("live:resync", {}), DELAY);
}

/**
 * Record that a change is on the page.
 *
 * @param {number} number
 */
export function markShown(number) {
  if (number <= version()) return;
  early.add(number);
  set(version());
  if (early.size) scheduleCheck(() => early.size > 0);
}

/**
 * Record that a change exists, whether or not it is on the page.
 *
 * @param {number} number
 */
export function expectVersion(number) {
  if (number > version()) scheduleCheck(() => number > version());
}

/**
 * Record that all changes up to a version are on the page.
 *
 * @param {number} number
 */
export function markShownUpTo(number) {
  set(Math.max(number, version()));
}

/**
 * Record that the page shows exactly this version; return whether it showed later changes before.
 *
 * @param {number} number
 */
export function resetToVersion(number) {
  const later = early.size > 0 || version() > number;
  early.clear();
  set(number);
  return later;
}
