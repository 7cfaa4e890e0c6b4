// Loads earlier conversations while one scrolls down the list.
const AHEAD = "0px 0px 100% 0px"; // of the height in view

/** The list of conversations, and the way to earlier ones. */
export const list = /** @type {HTMLElement | null} */ (document.querySelector(".inbox__body[data-rows-url]"));

/** @returns {HTMLAnchorElement | null} */
const way = () => list?.querySelector("a[data-rows]") ?? null;

/** @type {Promise<void> | undefined} */
let loading;

/** Puts the next conversations, if there are any, behind those that are there. */
export function loadMore() {
  loading ??= load().finally(() => (loading = undefined));
  return loading;
}

async function load() {
  const link = way();
  if (!link) return;
  const response = await fetch(link.dataset.rows ?? "", { headers: { Accept: "text/html" }, redirect: "error" });
  if (!response.ok) throw new Error(response.statusText);
  if (link.isConnected) insert(link, await response.text());
}

/**
 * @param {HTMLAnchorElement} link
 * @param {string} html
 */
function insert(link, html) {
  const fragment = document.createRange().createContextualFragment(html);
  const onwards = fragment.querySelector("a[data-rows]")?.parentElement;
  const rows = /** @type {HTMLElement[]} */ ([...fragment.querySelectorAll("li.conversation")]);
  const focused = document.activeElement === link;
  // One that has moved to the top meanwhile is there already.
  const fresh = rows.filter(({ dataset }) => !list?.querySelector(`li[data-group="${dataset.group}"]`));
  list?.querySelector("ul")?.append(...fresh);
  if (onwards) link.parentElement?.replaceWith(onwards);
  else link.parentElement?.remove();
  if (focused) fresh[0]?.querySelector("a")?.focus({ preventScroll: true });
  watch();
}

const observer = new IntersectionObserver(
  (entries) => {
    // Not while only some of them are shown: the end is near then, wherever one is.
    if (entries.some(({ isIntersecting }) => isIntersecting) && !list?.hasAttribute("data-filtered")) {
      loadMore().catch(() => {}); // what fails stays a link
    }
  },
  { root: list, rootMargin: AHEAD },
);

/** Look whether the end of the list is near, from now on. */
export function watch() {
  observer.disconnect();
  const link = way();
  if (link) observer.observe(link);
}

if (list) {
  watch();
  list.addEventListener("click", (event) => {
    const link = way();
    if (!link?.contains(/** @type {Node} */ (event.target)) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    loadMore().catch(() => location.assign(link.href));
  });
}
