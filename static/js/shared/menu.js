// Opens a menu at a button. Arrow keys and letters move in it; Escape, Tab and a click outside close it.

const narrow = matchMedia("(width < 45rem)");

/** @type {{menu: HTMLElement, opener: HTMLElement} | null} */
let open = null;

/** @param {HTMLElement} menu */
function itemsOf(menu) {
  const items = /** @type {NodeListOf<HTMLElement>} */ (menu.querySelectorAll("[role=menuitem]"));
  return [...items].filter((item) => !item.hidden);
}

/**
 * Show a menu and focus its first item.
 *
 * @param {HTMLElement} menu
 * @param {HTMLElement} opener the button it is placed at, which gets the focus back
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
 * Return the button, or its replacement when a new version of its message came while the menu was open.
 *
 * @param {HTMLElement} opener
 * @returns {HTMLElement}
 */
function connectedOpener(opener) {
  if (opener.isConnected || !(opener instanceof HTMLAnchorElement)) return opener;
  const href = CSS.escape(opener.getAttribute("href") ?? "");
  const replacement = document.querySelector(`a[aria-haspopup=menu][href="${href}"]`);
  return /** @type {HTMLElement | null} */ (replacement) ?? opener;
}

/** @param {{refocus?: boolean}} [how] */
export function closeMenu({ refocus = false } = {}) {
  if (!open) return;
  const { menu } = open;
  const opener = connectedOpener(open.opener);
  open = null;
  menu.remove();
  opener.removeAttribute("aria-expanded");
  if (refocus) opener.focus({ preventScroll: true });
}

/** @param {KeyboardEvent} event */
function onKeydown(event) {
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
    // Type-ahead: focus the next item that begins with the letter.
    const rest = [...items.slice(here + 1), ...items.slice(0, here + 1)];
    rest.find((item) => item.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  }
}

document.addEventListener("keydown", onKeydown, { capture: true });
document.addEventListener(
  "click",
  (event) => {
    const target = /** @type {Element} */ (event.target);
    if (!open || open.menu.contains(target) || open.opener.contains(target)) return;
    const isSheet = narrow.matches;
    closeMenu({ refocus: isSheet });
    if (!isSheet) return;
    // A click outside a sheet only closes it.
    event.preventDefault();
    event.stopPropagation();
  },
  { capture: true },
);
