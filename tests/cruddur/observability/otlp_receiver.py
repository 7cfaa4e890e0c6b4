"""A real receiver of OTLP over http, as a collector is one: keeps what comes, decoded from its protobuf."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS: dict[str, Any] = {"/v1/metrics": ExportMetricsServiceRequest, "/v1/traces": ExportTraceServiceRequest}


@dataclass
class Received:
    """Everything that was sent, as JSON has it."""

    url: str
    requests: list[Any] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def resource(self) -> dict[str, Any]:
        """Return the attributes of the sender."""
        first = self.requests[0]
        return attributes((first.get("resourceMetrics") or first["resourceSpans"])[0]["resource"])

    def spans(self) -> list[dict[str, Any]]:
        return [
            {"name": span["name"], "parent": span.get("parentSpanId"), **span, "attributes": attributes(span)}
            for request in self.requests
            for resource in request.get("resourceSpans", ())
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]

    def metrics(self) -> dict[str, list[dict[str, Any]]]:
        """Return the latest data points of each metric by its name."""
        found: dict[str, list[dict[str, Any]]] = {}
        for request in self.requests:
            for resource in request.get("resourceMetrics", ()):
                for scope in resource["scopeMetrics"]:
                    for metric in scope["metrics"]:
                        points = (metric.get("sum") or metric.get("gauge") or metric["histogram"])["dataPoints"]
                        found[metric["name"]] = [{**each, "attributes": attributes(each)} for each in points]
        return found

    def numbers(self, metric: str, *by: str) -> dict[tuple[Any, ...], float]:
        """Return a metric's values by some of its attributes; for a histogram, the number of observations."""
        found: dict[tuple[Any, ...], float] = {}
        for point in self.metrics().get(metric, ()):
            key = tuple(point["attributes"].get(name) for name in by)
            value = float(point.get("asInt", point.get("asDouble", point.get("count", 0))))
            found[key] = found.get(key, 0) + value
        return found


def attributes(holder: dict[str, Any]) -> dict[str, Any]:
    return {each["key"]: next(iter(each["value"].values()), "") for each in holder.get("attributes", ())}


@contextmanager
def otlp_receiver() -> Iterator[Received]:
    """Run a receiver on this machine while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            message = KINDS[self.path]()
            message.ParseFromString(body)
            received.raw.append(body)
            received.requests.append(MessageToDict(message))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Suppress the access log in the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received = Received(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)
