// Removes everything the site stored in this browser after an account was deleted: drafts, unsent messages, the user.
const OUR_KEY = /^cruddur(:|$)/;

if (document.querySelector("[data-clear-storage]")) {
  for (const storage of [localStorage, sessionStorage]) {
    for (const name of Object.keys(storage)) if (OUR_KEY.test(name)) storage.removeItem(name);
  }
}
