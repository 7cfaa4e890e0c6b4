// Shows a banner over the scrolling content while the live connection is down.
import { emit, on } from "realtime/events";

const DELAY = 3_000; // ms: shorter interruptions are not shown

const place = document.querySelector("#connection");
const template = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template#connection-banner"));
let timer = 0;

function show() {
  if (!template || !place) return;
  place.replaceChildren(template.content.cloneNode(true));
  for (const each of place.querySelectorAll("[data-when]")) {
    each.toggleAttribute("hidden", each.getAttribute("data-when") !== (navigator.onLine ? "unreachable" : "offline"));
  }
}

if (place && template) {
  on("live:down", ({ reason }) => {
    if (reason !== "signed-out" && reason !== "nothing") timer ||= setTimeout(show, DELAY);
  });
  on("live:up", () => {
    clearTimeout(timer);
    timer = 0;
    place.replaceChildren();
  });
  place.addEventListener("click", ({ target }) => {
    if (/** @type {Element} */ (target).closest("button")) emit("live:retry", {});
  });
}
