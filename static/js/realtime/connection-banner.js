// Says so when there has been no connection for a while, over what scrolls, and goes when there is one again.
import { hear, say } from "realtime/events";

const PATIENCE = 3_000; // ms: shorter breaks are nobody's business

const place = document.querySelector("#connection");
const words = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template#no-connection"));
let timer = 0;

function show() {
  if (!words || !place) return;
  place.replaceChildren(words.content.cloneNode(true));
  for (const each of place.querySelectorAll("[data-when]")) {
    each.toggleAttribute("hidden", each.getAttribute("data-when") !== (navigator.onLine ? "unreachable" : "offline"));
  }
}

if (place && words) {
  hear("live:down", ({ reason }) => {
    if (reason !== "signed-out" && reason !== "nothing") timer ||= setTimeout(show, PATIENCE);
  });
  hear("live:up", () => {
    clearTimeout(timer);
    timer = 0;
    place.replaceChildren();
  });
  place.addEventListener("click", ({ target }) => {
    if (/** @type {Element} */ (target).closest("button")) say("live:retry", {});
  });
}
