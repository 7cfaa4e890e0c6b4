// The switch for notifications in the settings, which only a browser that has them shows. The browser asks when it is
// pressed, never before.
import { choose, isOn, possible } from "page/notifications";

const section = /** @type {HTMLElement | null} */ (document.querySelector("#notifications"));
const toggle = /** @type {HTMLInputElement | null} */ (section?.querySelector("#notify-switch") ?? null);
const denied = /** @type {HTMLElement | null} */ (section?.querySelector("#notify-denied") ?? null);

async function change() {
  if (!toggle || !denied) return;
  const granted = toggle.checked && (await Notification.requestPermission()) === "granted";
  denied.hidden = !toggle.checked || granted;
  choose(granted);
  toggle.checked = isOn();
}

if (section && toggle && possible) {
  section.hidden = false;
  toggle.checked = isOn();
  toggle.addEventListener("change", change);
}
