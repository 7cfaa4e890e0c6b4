// Loads earlier and later messages when the user scrolls near them or clicks their links; messages in view do not move.
import { insertMessage, regroup } from "conversation/message-grouping";
import { content, emitAdded, log } from "conversation/message-log";
import { anchorScroll } from "conversation/scroll-anchor";

const MAX_MOVED = 100; // messages; above it, moving the new ones to the old list is faster
const AHEAD = "150% 0px"; // of the visible height

/** @type {IntersectionObserver | undefined} */
let observer;

/**
 * @param {HTMLElement} log
 * @param {HTMLElement} content
 * @param {HTMLAnchorElement} link
 */
async function load(log, content, link) {
  link.setAttribute("aria-disabled", "true");
  try {
    const url = link.dataset.earlier ?? link.dataset.newer ?? "";
    const response = await fetch(url, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!response.ok) throw new Error(response.statusText);
    if (link.isConnected) insert(log, content, link, await response.text());
  } finally {
    link.removeAttribute("aria-disabled");
  }
}

/**
 * @param {HTMLElement} log
 * @param {HTMLElement} content
 * @param {HTMLAnchorElement} link
 * @param {string} html the messages by day, between the links to more
 */
function insert(log, content, link, html) {
  const fragment = document.createRange().createContextualFragment(html);
  for (const { id } of messagesIn(content)) fragment.getElementById(id)?.remove();
  const messages = messagesIn(fragment);
  const focused = document.activeElement === link;
  log.setAttribute("aria-busy", "true"); // not announced
  anchorScroll(
    log,
    () => {
      if ("earlier" in link.dataset) prependWindow(content, fragment);
      else appendMessages(log, content, fragment, messages);
      regroup(log);
    },
    { follow: false },
  );
  setTimeout(() => log.removeAttribute("aria-busy"));
  if (focused) log.focus({ preventScroll: true });
  emitAdded(messages);
  observe();
}

/**
 * @param {HTMLElement} content
 * @param {DocumentFragment} fragment
 */
function prependWindow(content, fragment) {
  // The "New" divider belongs before the first new message, which may be among these.
  if (fragment.querySelector("#new")) content.querySelector("#new")?.remove();
  fragment.querySelector(".thread__newer")?.remove();
  content.querySelector(":scope > .thread__older")?.remove();
  const [last, first] = [fragment.querySelector(".day:last-of-type"), content.querySelector(":scope > .day")];
  content.prepend(fragment);
  if (!last || !first || dateOf(last) !== dateOf(first)) return;
  // The same day: remove one of the two headings. Moving the old one would count as a layout shift.
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const [above, below] = [last, first].map((day) => /** @type {Element} */ (day.querySelector("ol")));
  if (below.childElementCount > MAX_MOVED) {
    below.prepend(...above.children);
    last.remove();
    return;
  }
  above.append(...below.children);
  first.remove();
  if (focused !== document.activeElement) focused?.focus({ preventScroll: true });
}

/**
 * @param {HTMLElement} log
 * @param {HTMLElement} content
 * @param {DocumentFragment} fragment
 * @param {HTMLElement[]} messages
 */
function appendMessages(log, content, fragment, messages) {
  const divider = content.querySelector("#new") ? null : fragment.querySelector("#new");
  const firstNew = divider?.nextElementSibling;
  const nextLink = fragment.querySelector(".thread__newer");
  const oldLink = content.querySelector(":scope > .thread__newer");
  for (const message of messages) insertMessage(content, message);
  if (divider) firstNew?.before(divider);
  if (nextLink) oldLink?.replaceWith(nextLink);
  else oldLink?.remove();
  log.toggleAttribute("data-at-end", !nextLink);
}

/** @param {Element} day */
const dateOf = (day) => day.querySelector("time")?.dateTime;

/** @param {ParentNode} parent @returns {HTMLElement[]} */
const messagesIn = (parent) => [...parent.querySelectorAll(/** @type {"li"} */ ("li.message"))];

/** Observe the links to more messages, which other modules may have replaced. */
function observe() {
  observer?.disconnect();
  for (const link of content?.querySelectorAll("[data-earlier], [data-newer]") ?? []) observer?.observe(link);
}

/**
 * @param {HTMLElement} log
 * @param {HTMLElement} content
 */
function start(log, content) {
  /** @param {string} rootMargin */
  const watch = (rootMargin) => {
    observer?.disconnect();
    observer = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          const link = /** @type {HTMLAnchorElement} */ (target);
          // On failure the link stays, to be clicked or scrolled to again.
          if (isIntersecting && !link.hasAttribute("aria-disabled")) load(log, content, link).catch(() => {});
        }
      },
      { root: log, rootMargin },
    );
    observe();
  };
  // Until the user scrolls, load only when a link is in view; then also ahead of the view.
  watch("0px");
  const scrolled = new AbortController();
  const onScroll = () => {
    scrolled.abort();
    watch(AHEAD);
  };
  for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    log.addEventListener(name, onScroll, { passive: true, signal: scrolled.signal });
  }
  log.addEventListener("click", (event) => {
    const link = /** @type {HTMLAnchorElement | null} */ (
      /** @type {HTMLElement} */ (event.target).closest("a:is([data-earlier], [data-newer])")
    );
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!link.hasAttribute("aria-disabled")) load(log, content, link).catch(() => location.assign(link.href));
  });
  // Replacing the messages replaces the links.
  document.addEventListener("conversation:messages-added", observe);
}

if (log?.dataset.readUrl && content) start(log, content);
