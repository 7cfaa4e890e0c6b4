"""Scripts that run in the measured pages."""

BARE_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Bare</title>
<style>body { font: 16px sans-serif }</style><p>A field.</p><textarea id="composer-text" rows="1"></textarea></html>"""

PAINTS = """() => new Promise((resolve) => {
  const [{ startTime: paint }] = performance.getEntriesByName("first-contentful-paint");
  const resources = performance.getEntriesByType("resource");
  const found = (largest) => resolve({ paint, largest, requests: 1 + resources.length,
    before: 1 + resources.filter((each) => each.startTime <= paint).length });
  new PerformanceObserver((list) => found(list.getEntries().at(-1).startTime))
    .observe({ type: "largest-contentful-paint", buffered: true });
  setTimeout(() => found(paint), 500);
})"""
"""When the first and the largest content was painted, in milliseconds since the navigation, and how many requests."""

PAGE_BACK = """async (wanted) => {
  const count = () => document.querySelectorAll(".thread__content li.message").length;
  const times = [];
  while (count() < wanted) {
    const link = document.querySelector("[data-earlier]");
    if (!link) throw new Error(`only ${count()} messages`);
    const before = count();
    const began = performance.now();
    if (!link.hasAttribute("aria-disabled")) link.click();
    while (count() === before) await new Promise((resolve) => setTimeout(resolve, 2));
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - began);
  }
  return times;
}"""
"""Load earlier messages as the link does until so many are on the page; milliseconds of each window."""

WATCH_KEYS = """() => {
  globalThis.seen = { frames: [], events: [], keys: 0 };
  addEventListener("keydown", ({ timeStamp }) => {
    seen.keys += 1;
    // A task behind the frame: what the key changed is painted.
    requestAnimationFrame(() => {
      const behind = new MessageChannel();
      behind.port1.onmessage = () => seen.frames.push(performance.now() - timeStamp);
      behind.port2.postMessage(0);
    });
  }, true);
  new PerformanceObserver((list) => {
    for (const { name, duration } of list.getEntries()) if (name === "keydown") seen.events.push(duration);
  }).observe({ type: "event", durationThreshold: 16 });
}"""

KEYS_SEEN = """() => {
  // Event Timing leaves out what took less than 16 ms.
  const left = Math.max(0, seen.keys - seen.events.length);
  return { frames: seen.frames, events: [...seen.events, ...Array(left).fill(16)] };
}"""

# Both times are from the machine's clock: when Enter was pressed, and the frame that shows the message.
STAMPS = """
globalThis.stamps = {};
const now = () => performance.timeOrigin + performance.now();
addEventListener("keydown", ({ key, target }) => {
  if (key === "Enter") (stamps[target.value] ??= {}).sent ??= now();
}, true);
addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => {
    const text = [...document.querySelectorAll(".thread__log .message__text")].at(-1)?.textContent;
    if (!text || stamps[text]?.seen) return;
    requestAnimationFrame(() => { (stamps[text] ??= {}).seen ??= now(); });
  }).observe(document.body, { childList: true, subtree: true });
});
"""
