// The title, the icon in the tab and the badge beside "Messages" say how many messages are unread.
const badge = /** @type {HTMLElement | null} */ (document.querySelector(".badge[data-unread]"));
const icon = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[rel=icon]"));
const calm = icon?.getAttribute("href");
const COUNT = /^\(\d+\+?\) /;
const MOST = 99;

/** @param {number} unread */
export function showUnread(unread) {
  const shown = unread > MOST ? `${MOST}+` : String(unread);
  const title = document.title.replace(COUNT, "");
  document.title = unread ? `(${shown}) ${title}` : title;
  if (icon && calm && icon.dataset.unread) icon.href = unread ? icon.dataset.unread : calm;
  if (!badge) return;
  badge.hidden = !unread;
  const count = badge.querySelector("[data-count]");
  if (count) count.textContent = shown;
}

/** What the page was loaded with. */
export function unreadAtLoad() {
  return Number(badge?.dataset.unread);
}
