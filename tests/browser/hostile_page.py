"""A page of a stranger: what it can send to other origins, and everything it gets to read of the answers."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ATTACK = """
async ({ addresses, posts }) => {
  const read = [];
  const tried = [];
  const found = (how, url) => read.push(`${how} ${url}`);
  const within = (promise) => Promise.race([promise, new Promise((done) => setTimeout(done, 4000))]);
  const ask = async (how, url, init) => {
    tried.push(`${how} ${url}`);
    try {
      const answer = await within(fetch(url, { credentials: "include", ...init }));
      if (answer && answer.type !== "opaque" && answer.type !== "opaqueredirect") found(how, url);
    } catch {}
  };
  const element = (how, tag, attribute, url) => within(new Promise((done) => {
    tried.push(`${how} ${url}`);
    const each = document.createElement(tag);
    if (tag === "link") each.rel = "stylesheet";
    each.onload = () => { found(how, url); done(); };
    each.onerror = done;
    each[attribute] = url;
    document.body.append(each);
  }));
  const frame = (url) => within(new Promise((done) => {
    tried.push(`iframe ${url}`);
    const each = document.createElement("iframe");
    each.onload = () => {
      try { if (each.contentDocument && each.contentDocument.URL !== "about:blank") found("iframe", url); } catch {}
      done();
    };
    each.src = url;
    document.body.append(each);
  }));
  const channel = (how, url, Channel) => within(new Promise((done) => {
    tried.push(`${how} ${url}`);
    const each = new Channel(url, Channel === EventSource ? { withCredentials: true } : undefined);
    each.onopen = () => { found(how, url); each.close(); done(); };
    each.onerror = () => { each.close(); done(); };
  }));
  const form = (url, fields, type) => within(new Promise((done) => {
    tried.push(`form ${url}`);
    const into = document.createElement("iframe");
    into.name = `answer-${tried.length}`;
    document.body.append(into);
    const each = document.createElement("form");
    Object.assign(each, { method: "post", action: url, target: into.name, enctype: type });
    for (const [name, value] of Object.entries(fields)) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      each.append(field);
    }
    document.body.append(each);
    into.onload = () => {
      try { if (into.contentDocument && into.contentDocument.URL !== "about:blank") found("form", url); } catch {}
      done();
    };
    each.submit();
  }));
  const aws = { "X-Amz-Target": "DynamoDB_20120810.ListTables",
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
      + `SignedHeaders=host, Signature=${"0".repeat(64)}` };
  const attack = (url) => Promise.all([
    ask("cors", url, {}), ask("no-cors", url, { mode: "no-cors" }), ask("HEAD", url, { method: "HEAD" }),
    ask("preflight", url, { method: "POST", headers: aws, body: "{}" }),
    ask("PUT", url, { method: "PUT", body: "x" }), ask("DELETE", url, { method: "DELETE" }),
    element("img", "img", "src", url), element("script", "script", "src", url), element("css", "link", "href", url),
    frame(url), channel("EventSource", url, EventSource), channel("WebSocket", url.replace("http", "ws"), WebSocket),
  ]);
  // Few at a time: a browser opens six connections to a host.
  for (let first = 0; first < addresses.length; first += 4) {
    await Promise.all(addresses.slice(first, first + 4).map(attack));
  }
  for (const { url, fields } of posts) {
    await Promise.all([
      ask("POST text", url, { method: "POST", mode: "no-cors", body: JSON.stringify(fields) }),
      ask("POST form", url, { method: "POST", mode: "no-cors", body: new URLSearchParams(fields) }),
      ask("POST cors", url, { method: "POST", body: JSON.stringify(fields) }),
      form(url, fields, "application/x-www-form-urlencoded"), form(url, fields, "text/plain"),
    ]);
  }
  return { read, tried };
}
"""
"""Try every way on every address, with the browser's cookies. Returns what could be read, and what was tried."""


class Stranger(ThreadingHTTPServer):
    """Serves one page at every address, and notes what it is asked; `headers` come with each answer."""

    daemon_threads = True

    def __init__(self, port: int = 0, headers: Mapping[str, str] | None = None) -> None:
        self.asked: list[str] = []
        self.headers = dict(headers or {})
        super().__init__(("127.0.0.1", port), Page)


class Page(BaseHTTPRequestHandler):
    server: Stranger

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(f"{self.command} {self.path}")
        body = b"<!doctype html><title>A stranger's page</title><body></body>"
        self.send_response(200)
        for name, value in {"Content-Type": "text/html", "Content-Length": len(body), **self.server.headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer  # noqa: N815 - the base class's names

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def stranger(port: int = 0, headers: Mapping[str, str] | None = None) -> Iterator[Stranger]:
    """Serve a foreign site's pages on this machine while the block runs."""
    with Stranger(port, headers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
