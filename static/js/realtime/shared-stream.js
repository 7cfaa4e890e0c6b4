// Shares one event stream between all tabs of a user. The tab that holds a Web Lock reads the stream and forwards its
// events over a BroadcastChannel; the other tabs wait for the lock, so one of them takes over when the holder closes.
import { openStream } from "realtime/event-stream";
import { emit } from "realtime/events";
import { isCurrentUser, redirectToLanding, user } from "shared/current-user";

const url = document.body.dataset.streamUrl;
const name = `cruddur:${user}`;

/**
 * What tabs post to each other: an event of the stream, or a request to the tab that holds it.
 *
 * @typedef {{event: keyof import("realtime/events").Events, detail: any, to?: string}} StreamEvent
 * @typedef {StreamEvent | {ask: "state" | "retry", from: string}} TabMessage
 */

function joinTabs() {
  const me = crypto.randomUUID();
  const left = new AbortController();
  const channel = new BroadcastChannel(name);
  /** @type {ReturnType<typeof openStream> | undefined} */
  let stream;
  /** @type {TabMessage} */
  let state = { event: "live:down", detail: { reason: "starting" } };

  /** @param {TabMessage} message */
  const post = (message) => channel.postMessage(message);

  /** @type {(event: any, detail: any) => void} */
  function broadcast(event, detail) {
    post({ event, detail });
    dispatch(event, detail);
  }

  /** @type {(event: any, detail: any) => void} */
  function dispatch(event, detail) {
    emit(event, detail);
    if (event === "live:down" && detail.reason === "signed-out") redirectToLanding();
  }

  function holdStream() {
    stream = openStream(/** @type {string} */ (url), {
      event: (event, detail) => broadcast(`live:${event}`, detail),
      up() {
        state = { event: "live:up", detail: {} };
        broadcast("live:up", {});
      },
      down(reason) {
        state = { event: "live:down", detail: { reason } };
        broadcast("live:down", { reason });
        if (reason === "slow") broadcast("live:resync", {});
      },
    });
    return new Promise((resolve) => left.signal.addEventListener("abort", resolve));
  }

  channel.addEventListener("message", ({ data }) => {
    const message = /** @type {TabMessage} */ (data);
    if ("event" in message) {
      if (!message.to || message.to === me) dispatch(message.event, message.detail);
    } else if (stream) {
      if (message.ask === "retry") stream.retry();
      else post({ ...state, to: message.from });
    }
  });
  document.addEventListener("live:retry", () => (stream ? stream.retry() : post({ ask: "retry", from: me })), {
    signal: left.signal,
  });
  navigator.locks.request(name, { signal: left.signal }, holdStream).catch(() => {});
  post({ ask: "state", from: me });

  return function leave() {
    left.abort();
    stream?.close();
    channel.close();
  };
}

if (user && url && navigator.locks) {
  let leave = joinTabs();
  // A page with an open connection or lock is not kept in the back/forward cache.
  addEventListener("pagehide", () => leave());
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted && isCurrentUser()) leave = joinTabs();
  });
}
