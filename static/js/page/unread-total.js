// Keeps the unread badge current on pages without the list of conversations, such as settings and profiles.
import { renderUnreadBadge } from "page/unread-badge";
import { on } from "realtime/events";
import { redirectToLanding } from "shared/current-user";
import { retryLater } from "shared/retry-after";

const DELAY = 300; // ms: one request for several events
const EVENTS = /** @type {const} */ ([
  "live:message",
  "live:read",
  "live:changed",
  "live:hint",
  "live:up",
  "live:resync",
]);

const url = document.querySelector("[data-unread-url]")?.getAttribute("data-unread-url");
let timer = 0;

function scheduleRequest() {
  clearTimeout(timer);
  timer = setTimeout(request, DELAY);
}

async function request() {
  try {
    const response = await fetch(String(url), { method: "HEAD", cache: "no-store", redirect: "manual" });
    if (response.type === "opaqueredirect") redirectToLanding();
    if (response.ok) renderUnreadBadge(Number(response.headers.get("X-Unread")));
    else retryLater(response, scheduleRequest);
  } catch {
    // Without a network: the next event requests it again.
  }
}

if (url && !document.querySelector("[data-rows-url]")) {
  for (const name of EVENTS) {
    on(name, scheduleRequest);
  }
}
