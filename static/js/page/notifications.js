// Shows a browser notification with the sender's name for a new message while none of the user's tabs is visible. A
// visible tab holds a shared lock, so that the other tabs know.
import { on } from "realtime/events";
import { user, userKey } from "shared/current-user";

const SETTING = userKey("notifications");
const VISIBLE = userKey("in-view");

export const isSupported = "Notification" in window && "locks" in navigator && user !== "";

export function isOn() {
  return isSupported && Notification.permission === "granted" && localStorage.getItem(SETTING) === "on";
}

/** @param {boolean} on */
export function setOn(on) {
  if (on) localStorage.setItem(SETTING, "on");
  else localStorage.removeItem(SETTING);
}

/** @type {(() => void) | undefined} */
let release;

function updateVisibility() {
  if (document.visibilityState !== "visible") {
    release?.();
    release = undefined;
  } else if (!release) {
    const hidden = new Promise((resolve) => {
      release = () => resolve(undefined);
    });
    navigator.locks.request(VISIBLE, { mode: "shared" }, () => hidden);
  }
}

async function isAnyTabVisible() {
  const { held = [] } = await navigator.locks.query();
  return held.some((lock) => lock.name === VISIBLE);
}

/** Return false for muted and archived conversations and for requests. @param {string} group */
async function shouldNotify(group) {
  try {
    const response = await fetch(`${homeLink()?.href}/${group}/alert`, { cache: "no-store", redirect: "error" });
    return response.ok && (await response.json()).alert === true;
  } catch {
    return false;
  }
}

const homeLink = () => /** @type {HTMLAnchorElement | null} */ (document.querySelector(".rail__logo"));

/** @param {import("realtime/events").MessageEvent} message */
async function notify({ group, own, html }) {
  if (own || !isOn() || (await isAnyTabVisible()) || !(await shouldNotify(group))) return;
  const name = new DOMParser().parseFromString(html, "text/html").querySelector(".message bdi")?.textContent;
  const icon = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel="apple-touch-icon"]'))?.href;
  // The tag replaces the conversation's earlier notification, also one of another tab.
  const notification = new Notification(name ?? document.title, { tag: group, icon });
  notification.addEventListener("click", () => {
    notification.close();
    window.focus();
    location.assign(`${homeLink()?.href}/${group}#new`);
  });
}

if (isSupported) {
  updateVisibility();
  document.addEventListener("visibilitychange", updateVisibility);
  on("live:message", notify);
}
