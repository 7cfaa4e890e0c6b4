// Knows whose page this is. Everything stored for a user has keys that begin with their uuid, and is removed when they
// sign out or somebody else signs in.

const CURRENT_USER = "cruddur";
const USER_KEY = /^cruddur:([0-9a-f-]{36}):/;
const RELOADED_AT = "reloaded";
const RELOAD_INTERVAL = 60_000; // ms

/** The uuid of the user signed in on this page; empty for visitors. */
export const user = document.body.dataset.user ?? "";

/**
 * Return the name of a storage entry, lock or channel of this user.
 *
 * @param {string} name
 */
export function userKey(name) {
  return `cruddur:${user}:${name}`;
}

/** Remove what is stored for all users but `keep`. */
function clearStorageExcept(keep = "") {
  for (const storage of [localStorage, sessionStorage]) {
    for (const name of Object.keys(storage)) {
      const [, owner] = USER_KEY.exec(name) ?? [];
      if (owner && owner !== keep) storage.removeItem(name);
    }
  }
}

/** Return whether the user of this page is still the one signed in. */
export function isCurrentUser() {
  return localStorage.getItem(CURRENT_USER) === user;
}

let signingOut = false;

/** Leave a page whose user is signed out. A reload could sign in again without a password; the landing page cannot. */
export function redirectToLanding() {
  if (!signingOut) limitRate(() => location.replace("/"));
}

/** Reload the page. */
export function reloadPage() {
  limitRate(() => location.reload());
}

/** Call `navigate` at most once a minute, to prevent loops. @param {() => void} navigate */
function limitRate(navigate) {
  const last = Number(sessionStorage.getItem(RELOADED_AT));
  if (Date.now() - last < RELOAD_INTERVAL) return;
  sessionStorage.setItem(RELOADED_AT, String(Date.now()));
  navigate();
}

if (user) {
  if (!isCurrentUser()) clearStorageExcept(user);
  localStorage.setItem(CURRENT_USER, user);
  addEventListener("storage", (event) => {
    if (event.key === CURRENT_USER && event.newValue && event.newValue !== user) reloadPage();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted && !isCurrentUser()) reloadPage();
  });
  // On window, to run after listeners on the document that may prevent the sign-out.
  addEventListener("submit", (event) => {
    const form = /** @type {HTMLElement} */ (event.target);
    if (event.defaultPrevented || !form.matches("[data-sign-out], [data-may-sign-out]")) return;
    signingOut = true;
    if (form.hasAttribute("data-may-sign-out")) return; // the next page clears the storage if the form signed out
    clearStorageExcept();
    localStorage.removeItem(CURRENT_USER);
  });
}
