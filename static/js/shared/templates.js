// Clones <template> elements of the page: the server renders their markup and translates their texts.

/**
 * Return a copy of a template's only element.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function cloneTemplate(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
}

/**
 * Return a copy of a template's sentence for a code; empty when it has none.
 *
 * @param {string} id
 * @param {string} code
 * @returns {Node[]}
 */
export function cloneSentence(id, code) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  const found = template.content.querySelector(`[data-code="${CSS.escape(code)}"]`);
  return [...(found?.cloneNode(true).childNodes ?? [])];
}

/**
 * Announce a text to screen readers at once.
 *
 * @param {string} text
 */
export function announce(text) {
  const alert = document.getElementById("composer-alert");
  if (!alert) return;
  // Emptied first, so that the same text is announced again.
  alert.textContent = "";
  setTimeout(() => (alert.textContent = text));
}
