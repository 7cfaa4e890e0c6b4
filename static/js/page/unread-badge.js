// Shows the number of unread messages in the page's title, the tab's icon and the badge beside "Messages".
const badge = /** @type {HTMLElement | null} */ (document.querySelector(".badge[data-unread]"));
const icon = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[rel=icon]"));
const readIcon = icon?.getAttribute("href");
const COUNT = /^\(\d+\+?\) /;
const MAX_SHOWN = 99;

/** @param {number} unread */
export function renderUnreadBadge(unread) {
  const shown = unread > MAX_SHOWN ? `${MAX_SHOWN}+` : String(unread);
  const title = document.title.replace(COUNT, "");
  document.title = unread ? `(${shown}) ${title}` : title;
  if (icon && readIcon && icon.dataset.unread) icon.href = unread ? icon.dataset.unread : readIcon;
  if (!badge) return;
  badge.hidden = !unread;
  const count = badge.querySelector("[data-count]");
  if (count) count.textContent = shown;
}

/** Return the number of unread messages that the page was loaded with. */
export function initialUnread() {
  return Number(badge?.dataset.unread);
}
