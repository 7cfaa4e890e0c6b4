// Loads earlier and later messages while one scrolls towards them, or on their links, without moving what is in view.
import { place, regroup } from "conversation/message-grouping";
import { steadily } from "conversation/scroll-anchor";
import { added, content, log } from "conversation/message-log";

const MOVED_AT_ONCE = 100; // messages; with more it is faster to put the few above the many
const AHEAD = "150% 0px"; // of the height in view

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
 * @param {string} html a window: the messages by day, between the ways to more
 */
function insert(log, content, link, html) {
  const fragment = document.createRange().createContextualFragment(html);
  for (const { id } of messagesIn(content)) fragment.getElementById(id)?.remove();
  const messages = messagesIn(fragment);
  const focused = document.activeElement === link;
  log.setAttribute("aria-busy", "true"); // not read out
  steadily(
    log,
    () => {
      if ("earlier" in link.dataset) putAbove(content, fragment);
      else putBelow(log, content, fragment, messages);
      regroup(log);
    },
    { follow: false },
  );
  setTimeout(() => log.removeAttribute("aria-busy"));
  if (focused) log.focus({ preventScroll: true });
  added(messages);
  observe();
}

/**
 * @param {HTMLElement} content
 * @param {DocumentFragment} fragment
 */
function putAbove(content, fragment) {
  // "New" begins at the first of the new ones, which may be among these.
  if (fragment.querySelector("#new")) content.querySelector("#new")?.remove();
  fragment.querySelector(".thread__newer")?.remove();
  content.querySelector(":scope > .thread__older")?.remove();
  const [last, first] = [fragment.querySelector(".day:last-of-type"), content.querySelector(":scope > .day")];
  content.prepend(fragment);
  if (!last || !first || dateOf(last) !== dateOf(first)) return;
  // One day: the old heading goes with all that it stood over. If it were to move, that would count as a shift.
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const [above, below] = [last, first].map((day) => /** @type {Element} */ (day.querySelector("ol")));
  if (below.childElementCount > MOVED_AT_ONCE) {
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
function putBelow(log, content, fragment, messages) {
  const divider = content.querySelector("#new") ? null : fragment.querySelector("#new");
  const firstNew = divider?.nextElementSibling;
  const onwards = fragment.querySelector(".thread__newer");
  const here = content.querySelector(":scope > .thread__newer");
  for (const message of messages) place(content, message);
  if (divider) firstNew?.before(divider);
  if (onwards) here?.replaceWith(onwards);
  else here?.remove();
  log.toggleAttribute("data-at-end", !onwards);
}

/** @param {Element} day */
const dateOf = (day) => day.querySelector("time")?.dateTime;

/** @param {ParentNode} parent @returns {HTMLElement[]} */
const messagesIn = (parent) => [...parent.querySelectorAll(/** @type {"li"} */ ("li.message"))];

/** Watch the ways to more, which others may have put there anew. */
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
          // What fails stays a link, to be pressed or scrolled to again.
          if (isIntersecting && !link.hasAttribute("aria-disabled")) load(log, content, link).catch(() => {});
        }
      },
      { root: log, rootMargin },
    );
    observe();
  };
  // At first only what has its link in view; ahead of the view once somebody goes there.
  watch("0px");
  const onward = new AbortController();
  const goOn = () => {
    onward.abort();
    watch(AHEAD);
  };
  for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    log.addEventListener(name, goOn, { passive: true, signal: onward.signal });
  }
  log.addEventListener("click", (event) => {
    const link = /** @type {HTMLAnchorElement | null} */ (
      /** @type {HTMLElement} */ (event.target).closest("a:is([data-earlier], [data-newer])")
    );
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!link.hasAttribute("aria-disabled")) load(log, content, link).catch(() => location.assign(link.href));
  });
  // When the window was put anew its links are others.
  document.addEventListener("thread:added", observe);
}

if (log?.dataset.readUrl && content) start(log, content);
