// A notification of the browser for a new message: its sender's name and nothing else, and only while no tab of this
// person is in view. A tab that is holds a lock, so that the others know.
import { hear } from "realtime/events";
import { key, user } from "shared/current-user";

const CHOSEN = key("notifications");
const IN_VIEW = key("in-view");

export const possible = "Notification" in window && "locks" in navigator && user !== "";

export function isOn() {
  return possible && Notification.permission === "granted" && localStorage.getItem(CHOSEN) === "on";
}

/** @param {boolean} on */
export function choose(on) {
  if (on) localStorage.setItem(CHOSEN, "on");
  else localStorage.removeItem(CHOSEN);
}

/** @type {(() => void) | undefined} */
let release;

function tellWhetherInView() {
  if (document.visibilityState !== "visible") {
    release?.();
    release = undefined;
  } else if (!release) {
    const hidden = new Promise((resolve) => {
      release = () => resolve(undefined);
    });
    navigator.locks.request(IN_VIEW, { mode: "shared" }, () => hidden);
  }
}

async function isAnyInView() {
  const { held = [] } = await navigator.locks.query();
  return held.some((lock) => lock.name === IN_VIEW);
}

/** Not of what is muted or archived, nor of a request. @param {string} group */
async function isWanted(group) {
  try {
    const response = await fetch(`${home()?.href}/${group}/alert`, { cache: "no-store", redirect: "error" });
    return response.ok && (await response.json()).alert === true;
  } catch {
    return false;
  }
}

const home = () => /** @type {HTMLAnchorElement | null} */ (document.querySelector(".rail__logo"));

/** @param {import("realtime/events").MessageEvent} message */
async function notify({ group, own, html }) {
  if (own || !isOn() || (await isAnyInView()) || !(await isWanted(group))) return;
  const name = new DOMParser().parseFromString(html, "text/html").querySelector(".message bdi")?.textContent;
  const icon = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel="apple-touch-icon"]'))?.href;
  // Of one conversation there is one, whichever tabs say it.
  const notification = new Notification(name ?? document.title, { tag: group, icon });
  notification.addEventListener("click", () => {
    notification.close();
    window.focus();
    location.assign(`${home()?.href}/${group}#new`);
  });
}

if (possible) {
  tellWhetherInView();
  document.addEventListener("visibilitychange", tellWhetherInView);
  hear("live:message", notify);
}
