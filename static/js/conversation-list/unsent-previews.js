// Lets the list of conversations say what is not sent: "Not sent: …", or "Draft: …" where the conversation is not open.
import { hear } from "realtime/events";
import { isCurrent } from "conversation-list/conversation-row";
import { user } from "shared/current-user";
import { drafts } from "composer/drafts";
import { unsent } from "outbox/outbox";
import { piece } from "shared/templates";

const SHOWN = 200; // characters, more than any line has

const list = document.querySelector(".inbox__body");

/** @param {HTMLElement} row @returns {HTMLElement | null} what stands in it instead of the last message */
function lineOf(row) {
  const { group } = row.dataset;
  const failed = unsent(group).find((item) => item.failed);
  const draft = isCurrent(row) ? undefined : drafts().find((each) => each.group === group);
  const text = failed?.text ?? draft?.text;
  if (!group || !text) return null;
  const line = piece(failed ? "row-not-sent" : "row-draft");
  line.querySelector("bdi")?.replaceChildren(text.slice(0, SHOWN));
  return line;
}

/** @param {HTMLElement} row */
function show(row) {
  const [line, there] = [lineOf(row), row.querySelector(":scope > [data-unsent]")];
  const preview = row.querySelector(/** @type {"p"} */ (":scope > .conversation__preview:not([data-unsent])"));
  if (preview && preview.hidden !== Boolean(line)) preview.hidden = Boolean(line);
  if (line && there?.previousElementSibling === preview && there.isEqualNode(line)) return;
  there?.remove();
  if (line) preview?.after(line);
}

function showAll() {
  const rows = list?.querySelectorAll(/** @type {"li"} */ ("li.conversation[data-group]")) ?? [];
  for (const row of rows) show(row);
}

if (list && user && document.getElementById("row-draft")) {
  hear("outbox:changed", showAll);
  hear("drafts:changed", showAll);
  new MutationObserver(showAll).observe(list, { childList: true, subtree: true });
  addEventListener("pageshow", showAll);
  showAll();
}
