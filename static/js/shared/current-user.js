// Whose browser this is now. What pages keep in storage belongs to a person: its keys begin with theirs, and are gone
// when they sign out or another signs in.

const PERSON = "cruddur";
const OF_SOMEBODY = /^cruddur:([0-9a-f-]{36}):/;
const RELOADED = "reloaded";
const ONCE_IN = 60_000; // ms

/** The uuid of who is signed in on this page; empty when nobody is. */
export const user = document.body.dataset.user ?? "";

/**
 * The name under which a module keeps something for this person.
 *
 * @param {string} name
 */
export function key(name) {
  return `cruddur:${user}:${name}`;
}

/** Forget what is kept for anybody but this one. */
function forgetAllBut(keep = "") {
  for (const storage of [localStorage, sessionStorage]) {
    for (const name of Object.keys(storage)) {
      const [, owner] = OF_SOMEBODY.exec(name) ?? [];
      if (owner && owner !== keep) storage.removeItem(name);
    }
  }
}

/** Whether this page is still of the person who is signed in. */
export function isCurrent() {
  return localStorage.getItem(PERSON) === user;
}

let signingOut = false;

/** Show nothing more of who is signed out. The front page asks for a password; a reload might sign in again without. */
export function leave() {
  if (!signingOut) goOnce(() => location.replace("/"));
}

/** Load the page as the server has it now. */
export function reload() {
  goOnce(() => location.reload());
}

/** Not again and again, should it not help. @param {() => void} go */
function goOnce(go) {
  const last = Number(sessionStorage.getItem(RELOADED));
  if (Date.now() - last < ONCE_IN) return;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  go();
}

if (user) {
  if (!isCurrent()) forgetAllBut(user);
  localStorage.setItem(PERSON, user);
  addEventListener("storage", (event) => {
    if (event.key === PERSON && event.newValue && event.newValue !== user) reload();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted && !isCurrent()) reload();
  });
  // On window, so after whoever may still keep the person from signing out.
  addEventListener("submit", (event) => {
    const form = /** @type {HTMLElement} */ (event.target);
    if (event.defaultPrevented || !form.matches("[data-signs-out], [data-may-sign-out]")) return;
    signingOut = true;
    if (form.hasAttribute("data-may-sign-out")) return; // what it leads to knows whether
    forgetAllBut();
    localStorage.removeItem(PERSON);
  });
}
