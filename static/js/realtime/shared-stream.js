// One stream for all tabs of a person in this browser. Whoever holds the lock has it open and hands on what it says;
// the others wait for the lock, so that one of them goes on as soon as the holder is gone.
import { say } from "realtime/events";
import { isCurrent, leave as leavePage, user } from "shared/current-user";
import { open } from "realtime/event-stream";

const url = document.body.dataset.streamUrl;
const name = `cruddur:${user}`;

/**
 * What tabs tell each other: an event of the stream, or a question to the tab that has it.
 *
 * @typedef {{event: keyof import("realtime/events").Events, detail: any, to?: string}} Said
 * @typedef {Said | {ask: "state" | "retry", from: string}} Note
 */

function join() {
  const me = crypto.randomUUID();
  const left = new AbortController();
  const channel = new BroadcastChannel(name);
  /** @type {ReturnType<typeof open> | undefined} */
  let stream;
  /** @type {Note} */
  let state = { event: "live:down", detail: { reason: "starting" } };

  /** @param {Note} note */
  const post = (note) => channel.postMessage(note);

  /** @type {(event: any, detail: any) => void} */
  function tell(event, detail) {
    post({ event, detail });
    here(event, detail);
  }

  /** @type {(event: any, detail: any) => void} */
  function here(event, detail) {
    say(event, detail);
    if (event === "live:down" && detail.reason === "signed-out") leavePage();
  }

  function hold() {
    stream = open(/** @type {string} */ (url), {
      event: (event, detail) => tell(`live:${event}`, detail),
      up() {
        state = { event: "live:up", detail: {} };
        tell("live:up", {});
      },
      down(reason) {
        state = { event: "live:down", detail: { reason } };
        tell("live:down", { reason });
        if (reason === "slow") tell("live:resync", {});
      },
    });
    return new Promise((resolve) => left.signal.addEventListener("abort", resolve));
  }

  channel.addEventListener("message", ({ data }) => {
    const note = /** @type {Note} */ (data);
    if ("event" in note) {
      if (!note.to || note.to === me) here(note.event, note.detail);
    } else if (stream) {
      if (note.ask === "retry") stream.retry();
      else post({ ...state, to: note.from });
    }
  });
  document.addEventListener("live:retry", () => (stream ? stream.retry() : post({ ask: "retry", from: me })), {
    signal: left.signal,
  });
  navigator.locks.request(name, { signal: left.signal }, hold).catch(() => {});
  post({ ask: "state", from: me });

  return function leave() {
    left.abort();
    stream?.close();
    channel.close();
  };
}

if (user && url && navigator.locks) {
  let leave = join();
  // The browser keeps a page that was left only if it holds nothing open.
  addEventListener("pagehide", () => leave());
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted && isCurrent()) leave = join();
  });
}
