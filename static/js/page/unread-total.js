// Where the list of conversations is not on the page (settings, profiles), the number of unread messages follows, too.
import { hear } from "realtime/events";
import { leave } from "shared/current-user";
import { showUnread } from "page/unread-badge";
import { askLater } from "shared/retry-after";

const SOON = 300; // ms: one request for what comes together
const OCCASIONS = /** @type {const} */ ([
  "live:message",
  "live:read",
  "live:changed",
  "live:hint",
  "live:up",
  "live:resync",
]);

const url = document.querySelector("[data-total-url]")?.getAttribute("data-total-url");
let asking = 0;

function askSoon() {
  clearTimeout(asking);
  asking = setTimeout(ask, SOON);
}

async function ask() {
  try {
    const response = await fetch(String(url), { method: "HEAD", cache: "no-store", redirect: "manual" });
    if (response.type === "opaqueredirect") leave();
    if (response.ok) showUnread(Number(response.headers.get("X-Unread")));
    else askLater(response, askSoon);
  } catch {
    // Without a network; the next occasion comes.
  }
}

if (url && !document.querySelector("[data-rows-url]")) {
  for (const name of OCCASIONS) {
    hear(name, askSoon);
  }
}
