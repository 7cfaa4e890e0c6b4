// Parses the server's HTML into elements, and morphs an element on the page into a newer version of it.

/**
 * @param {string} html
 * @returns {HTMLElement | null} the message in it
 */
export function parseMessage(html) {
  return document.createRange().createContextualFragment(html).querySelector("li.message");
}

/**
 * Change `element` into `fresh` and leave everything equal untouched: it is not announced again, keeps the focus and
 * its observers. An element with a focused text field stays as it is.
 *
 * @param {HTMLElement} element
 * @param {HTMLElement} fresh
 */
export function morph(element, fresh) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  if (focused?.matches("textarea, input")) return;
  for (const { name } of [...element.attributes]) if (!fresh.hasAttribute(name)) element.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
  // The server does not know which menu is open on this page.
  const expanded = element.querySelector("[aria-haspopup=menu][aria-expanded=true]");
  if (expanded) fresh.querySelector("[aria-haspopup=menu]")?.setAttribute("aria-expanded", "true");
  const children = [...fresh.children];
  children.forEach((child, index) => {
    const old = element.children[index];
    if (!old) element.append(child);
    else if (!old.isEqualNode(child)) old.replaceWith(child);
  });
  for (const surplus of [...element.children].slice(children.length)) surplus.remove();
  if (focused && !focused.isConnected) restoreFocus(element, focused);
}

/**
 * Focus the counterpart of a replaced element, or else the element around it.
 *
 * @param {HTMLElement} element
 * @param {Element} replaced
 */
function restoreFocus(element, replaced) {
  const [name] = replaced.classList;
  const same = name && element.querySelector(`${replaced.localName}.${CSS.escape(name)}`);
  const next = /** @type {HTMLElement} */ (same || element);
  if (next === element) element.tabIndex = -1;
  next.focus({ preventScroll: true });
}
