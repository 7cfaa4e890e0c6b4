// What script shows comes from the page's templates: its words can be translated, and its markup is the server's.

/**
 * @param {string} id
 * @returns {HTMLElement} a copy of the template's element
 */
export function piece(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
}

/**
 * @param {string} id of a template with a sentence for each code
 * @param {string} code
 * @returns {Node[]} the sentence; empty when there is none for this code
 */
export function sentence(id, code) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  const found = template.content.querySelector(`[data-code="${CSS.escape(code)}"]`);
  return [...(found?.cloneNode(true).childNodes ?? [])];
}

/**
 * Lets who listens hear something at once.
 *
 * @param {string} text
 */
export function announce(text) {
  const alert = document.getElementById("writing-alert");
  if (!alert) return;
  // Empty in between: the same words again are said again.
  alert.textContent = "";
  setTimeout(() => (alert.textContent = text));
}
