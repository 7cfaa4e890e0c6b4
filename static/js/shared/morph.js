// Elements out of the server's HTML, and one that becomes another in its place.

/**
 * @param {string} html
 * @returns {HTMLElement | null} the message in it
 */
export function messageIn(html) {
  return document.createRange().createContextualFragment(html).querySelector("li.message");
}

/**
 * Let an element be as `fresh` is, and touch nothing that is so already: what is the same is not read out again, what
 * has the focus keeps it, and who observes the element goes on observing it. One in which somebody writes stays.
 *
 * @param {HTMLElement} element
 * @param {HTMLElement} fresh
 */
export function become(element, fresh) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  if (focused?.matches("textarea, input")) return;
  for (const { name } of [...element.attributes]) if (!fresh.hasAttribute(name)) element.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
  // The server does not know that a menu is open in this page.
  const expanded = element.querySelector("[aria-haspopup=menu][aria-expanded=true]");
  if (expanded) fresh.querySelector("[aria-haspopup=menu]")?.setAttribute("aria-expanded", "true");
  const children = [...fresh.children];
  children.forEach((child, index) => {
    const there = element.children[index];
    if (!there) element.append(child);
    else if (!there.isEqualNode(child)) there.replaceWith(child);
  });
  for (const left of [...element.children].slice(children.length)) left.remove();
  if (focused && !focused.isConnected) refocus(element, focused);
}

/**
 * @param {HTMLElement} element
 * @param {Element} lost what had the focus in it
 */
function refocus(element, lost) {
  const same = lost.className && element.querySelector(`${lost.localName}.${CSS.escape(lost.classList[0])}`);
  const next = /** @type {HTMLElement} */ (same || element);
  if (next === element) element.tabIndex = -1;
  next.focus({ preventScroll: true });
}
