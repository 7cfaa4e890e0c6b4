// After the deletion of an account this browser keeps nothing of it either: drafts, and whose they are.
const OURS = /^cruddur(:|$)/;

if (document.querySelector("[data-forgets]")) {
  for (const storage of [localStorage, sessionStorage]) {
    for (const name of Object.keys(storage)) if (OURS.test(name)) storage.removeItem(name);
  }
}
