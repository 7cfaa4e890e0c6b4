// Opens the menu of a conversation on its page instead of as a page. Its items are links and forms.
import { closeMenu, openMenu } from "shared/menu";

const opener = document.getElementById("conversation-menu-button");
const template = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template#conversation-menu"));

/** @param {HTMLElement} opener @param {HTMLTemplateElement} template */
function toggle(opener, template) {
  if (opener.getAttribute("aria-expanded") === "true") return closeMenu({ refocus: true });
  const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  openMenu(/** @type {HTMLElement} */ (copy.querySelector(".menu")), opener);
}

// On the menu's own page it is open already.
if (opener && template && !opener.hasAttribute("aria-expanded")) {
  opener.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    toggle(opener, template);
  });
  opener.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    toggle(opener, template);
  });
}
