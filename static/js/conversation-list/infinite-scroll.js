// Loads earlier conversations while the user scrolls down the list.
const AHEAD = "0px 0px 100% 0px"; // of the visible height

/** The list of conversations with the link to earlier ones. */
export const list = /** @type {HTMLElement | null} */ (document.querySelector(".inbox__body[data-rows-url]"));

/** @returns {HTMLAnchorElement | null} */
const olderLink = () => list?.querySelector("a[data-rows]") ?? null;

/** @type {Promise<void> | undefined} */
let loading;

/** Append the next page of conversations, if there is one. */
export function loadMore() {
  loading ??= load().finally(() => (loading = undefined));
  return loading;
}

async function load() {
  const link = olderLink();
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
  const nextLink = fragment.querySelector("a[data-rows]")?.parentElement;
  const rows = /** @type {HTMLElement[]} */ ([...fragment.querySelectorAll("li.conversation")]);
  const focused = document.activeElement === link;
  // A conversation that moved to the top meanwhile is in the list already.
  const fresh = rows.filter(({ dataset }) => !list?.querySelector(`li[data-group="${dataset.group}"]`));
  list?.querySelector("ul")?.append(...fresh);
  if (nextLink) link.parentElement?.replaceWith(nextLink);
  else link.parentElement?.remove();
  if (focused) fresh[0]?.querySelector("a")?.focus({ preventScroll: true });
  observeEnd();
}

const observer = new IntersectionObserver(
  (entries) => {
    // Not while a search hides rows: the end is then always near.
    if (entries.some(({ isIntersecting }) => isIntersecting) && !list?.hasAttribute("data-filtered")) {
      loadMore().catch(() => {}); // on failure the link stays
    }
  },
  { root: list, rootMargin: AHEAD },
);

/** Load the next page when the end of the list comes near. */
export function observeEnd() {
  observer.disconnect();
  const link = olderLink();
  if (link) observer.observe(link);
}

if (list) {
  observeEnd();
  list.addEventListener("click", (event) => {
    const link = olderLink();
    if (!link?.contains(/** @type {Node} */ (event.target)) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    loadMore().catch(() => location.assign(link.href));
  });
}
