// A menu that script opens at a button: arrow keys walk in it, Escape and a press elsewhere close it.

const narrow = matchMedia("(width < 45rem)");

/** @type {{menu: HTMLElement, opener: HTMLElement} | null} */
let open = null;

/** @param {HTMLElement} menu */
function itemsOf(menu) {
  const items = /** @type {NodeListOf<HTMLElement>} */ (menu.querySelectorAll("[role=menuitem]"));
  return [...items].filter((item) => !item.hidden);
}

/**
 * @param {HTMLElement} menu
 * @param {HTMLElement} opener where it stands, and where the focus goes back to
 */
export function openMenu(menu, opener) {
  closeMenu();
  open = { menu, opener };
  opener.setAttribute("aria-expanded", "true");
  menu.setAttribute("aria-label", opener.getAttribute("aria-label") ?? "");
  (opener.closest("section.thread") ?? document.body).append(menu);
  itemsOf(menu)[0]?.focus();
}

/**
 * @param {HTMLElement} opener which a new version of its message may have replaced while the menu was open
 * @returns {HTMLElement}
 */
function inPage(opener) {
  if (opener.isConnected || !(opener instanceof HTMLAnchorElement)) return opener;
  const href = CSS.escape(opener.getAttribute("href") ?? "");
  const successor = document.querySelector(`a[aria-haspopup=menu][href="${href}"]`);
  return /** @type {HTMLElement | null} */ (successor) ?? opener;
}

/** @param {{refocus?: boolean}} [how] */
export function closeMenu({ refocus = false } = {}) {
  if (!open) return;
  const { menu } = open;
  const opener = inPage(open.opener);
  open = null;
  menu.remove();
  opener.removeAttribute("aria-expanded");
  if (refocus) opener.focus({ preventScroll: true });
}

/** @param {KeyboardEvent} event */
function walk(event) {
  if (!open) return;
  const items = itemsOf(open.menu);
  const here = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  /** @type {Record<string, number>} */
  const steps = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: -1 };
  if (event.key === "Escape" || event.key === "Tab") {
    if (event.key === "Escape") event.preventDefault();
    event.stopPropagation();
    closeMenu({ refocus: true });
  } else if (event.key in steps) {
    event.preventDefault();
    items.at(steps[event.key] % items.length)?.focus();
  } else if (event.key.length === 1 && event.key !== " ") {
    // As menus do: a letter leads to the next item that begins with it.
    const rest = [...items.slice(here + 1), ...items.slice(0, here + 1)];
    rest.find((item) => item.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  }
}

document.addEventListener("keydown", walk, { capture: true });
document.addEventListener(
  "click",
  (event) => {
    const target = /** @type {Element} */ (event.target);
    if (!open || open.menu.contains(target) || open.opener.contains(target)) return;
    const isSheet = narrow.matches;
    closeMenu({ refocus: isSheet });
    if (!isSheet) return;
    // Over a page in the shade: a press beside it only closes it.
    event.preventDefault();
    event.stopPropagation();
  },
  { capture: true },
);
