// Shows the switch for notifications in the settings of browsers that support them. The browser asks for permission
// only when the switch is turned on.
import { isOn, isSupported, setOn } from "page/notifications";

const section = /** @type {HTMLElement | null} */ (document.querySelector("#notifications"));
const toggle = /** @type {HTMLInputElement | null} */ (section?.querySelector("#notify-switch") ?? null);
const denied = /** @type {HTMLElement | null} */ (section?.querySelector("#notify-denied") ?? null);

async function change() {
  if (!toggle || !denied) return;
  const granted = toggle.checked && (await Notification.requestPermission()) === "granted";
  denied.hidden = !toggle.checked || granted;
  setOn(granted);
  toggle.checked = isOn();
}

if (section && toggle && isSupported) {
  section.hidden = false;
  toggle.checked = isOn();
  toggle.addEventListener("change", change);
}
