// Shows "Not sent: …" in the rows of the list, or "Draft: …" for conversations that are not open.
import { drafts } from "composer/drafts";
import { isOpen } from "conversation-list/conversation-row";
import { unsent } from "outbox/outbox";
import { on } from "realtime/events";
import { user } from "shared/current-user";
import { cloneTemplate } from "shared/templates";

const MAX_LENGTH = 200; // characters, more than any row shows

const list = document.querySelector(".inbox__body");

/** @param {HTMLElement} row @returns {HTMLElement | null} what replaces its last message */
function unsentPreview(row) {
  const { group } = row.dataset;
  const failed = unsent(group).find((item) => item.failed);
  const draft = isOpen(row) ? undefined : drafts().find((each) => each.group === group);
  const text = failed?.text ?? draft?.text;
  if (!group || !text) return null;
  const line = cloneTemplate(failed ? "not-sent-preview" : "draft-preview");
  line.querySelector("bdi")?.replaceChildren(text.slice(0, MAX_LENGTH));
  return line;
}

/** @param {HTMLElement} row */
function show(row) {
  const [line, there] = [unsentPreview(row), row.querySelector(":scope > [data-unsent]")];
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

if (list && user && document.getElementById("draft-preview")) {
  on("outbox:changed", showAll);
  on("drafts:changed", showAll);
  new MutationObserver(showAll).observe(list, { childList: true, subtree: true });
  addEventListener("pageshow", showAll);
  showAll();
}
