"""OpenTelemetry: metrics and traces over OTLP, as its own OTEL_… variables say. Imported where it is configured alone.

What leaves the process is listed here. Everything else that a library notes on a span is dropped: addresses with their
query, headers, keys, the text and the traceback of an error, which may quote what somebody wrote.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.conf import settings

# Read when the libraries are imported.
os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")

from opentelemetry import propagate
from opentelemetry.context import Context, get_current
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from . import metrics

STOP_SECONDS = 2
AFTER = "messaging.middleware.HealthMiddleware"
"""Django's instrumentation comes after it: it asks for the host, which a load balancer's questions have none of."""

ATTRIBUTES = frozenset(
    (
        "aws.dynamodb.table_names", "aws.request_id", "aws.service", "cloud.region", "db.namespace", "db.operation",
        "db.operation.name", "db.query.text", "db.system", "db.system.name", "error.type", "http.request.method",
        "http.response.status_code", "http.route", "http.status_code", "network.protocol.version", "retry_attempts",
        "rpc.method", "rpc.service", "rpc.system", "server.address", "server.port", "url.scheme",
    )
)  # fmt: skip
"""Of spans. SQL is sent without its parameters."""
UNINTERESTING = frozenset(("DynamoDB Streams.GetRecords",))
"""Spans that are not sent: a worker asks each shard four times a second."""
HTTP_ATTRIBUTES = {"http.request.method", "http.response.status_code", "http.route", "url.scheme"}
DATABASE_ATTRIBUTES = {"db.system.name", "db.operation.name", "error.type"}
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Where the buckets of a time end."""

Record = Callable[[float, dict[str, str]], None]
_providers: list[TracerProvider | MeterProvider] = []


class ListedAttributes(SpanExporter):
    """Hands spans on with the listed attributes alone, and of an error with its type alone."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([listed(span) for span in spans if span.name not in UNINTERESTING])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def listed(span: ReadableSpan) -> ReadableSpan:
    """Return the span as it may leave the process."""
    attributes = {name: value for name, value in (span.attributes or {}).items() if name in ATTRIBUTES}
    for event in span.events:
        if kind := (event.attributes or {}).get("exception.type"):
            attributes["error.type"] = kind
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


class NoPropagation(TextMapPropagator):
    """A trace begins here: what a stranger's headers say of it is not believed, and nobody is told of it."""

    def extract(self, carrier: Any, context: Context | None = None, getter: Any = None) -> Context:
        return get_current() if context is None else context

    def inject(self, carrier: Any, context: Context | None = None, setter: Any = None) -> None:
        """Tell nobody."""

    @property
    def fields(self) -> set[str]:
        return set()


def start(service: str) -> None:
    """Begin to send, and let the libraries tell what they do. Once a process."""
    resource = Resource.create(
        {
            "service.name": os.environ.get("OTEL_SERVICE_NAME") or f"cruddur-{service}",
            "service.version": settings.VERSION,
            # Of processes with one name the numbers would otherwise take each other's place.
            "service.instance.id": str(uuid.uuid4()),
        }
    )
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(ListedAttributes(OTLPSpanExporter())))
    meters = MeterProvider(
        metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())],
        resource=resource,
        shutdown_on_exit=False,
        views=[
            View(instrument_name="http.server.*", attribute_keys=HTTP_ATTRIBUTES),
            View(instrument_name="db.client.*", attribute_keys=DATABASE_ATTRIBUTES),
            View(instrument_name="cruddur.*.time", aggregation=ExplicitBucketHistogramAggregation(SECONDS)),
        ],
    )
    _providers.extend((tracers, meters))
    atexit.register(stop)
    if "OTEL_PROPAGATORS" not in os.environ:
        propagate.set_global_textmap(NoPropagation())
    if service == "web":
        position = settings.MIDDLEWARE.index(AFTER) + 1
        DjangoInstrumentor().instrument(tracer_provider=tracers, meter_provider=meters, middleware_position=position)
    PsycopgInstrumentor().instrument(tracer_provider=tracers, meter_provider=meters)
    BotocoreInstrumentor().instrument(  # type: ignore[no-untyped-call]
        tracer_provider=tracers, meter_provider=meters
    )
    records = instruments(meters.get_meter("cruddur", settings.VERSION))
    metrics.subscribe(lambda name, value, attributes: records[name](value, attributes))


def stop() -> None:
    """Send what was not sent yet; what no collector has taken within two seconds is lost."""
    # The exporters try again for longer than they are told, and nobody waits for a process that is to end.
    flushing = [
        threading.Thread(target=provider.force_flush, args=(STOP_SECONDS * 1000,), daemon=True)
        for provider in _providers
    ]
    for thread in flushing:
        thread.start()
    until = time.monotonic() + STOP_SECONDS
    for thread in flushing:
        thread.join(max(0.0, until - time.monotonic()))


def instruments(meter: Meter) -> dict[str, Record]:
    """Return the function that records each measure, by its name."""
    lag = metrics.STREAM_LAG
    meter.create_observable_gauge(lag, [_gauge(lag)], "s", "Age of the oldest record of the stream in work")
    return {
        metrics.MESSAGES_SENT: meter.create_counter(
            metrics.MESSAGES_SENT, "{message}", "Messages stored, each once"
        ).add,
        metrics.STREAMS_OPEN: meter.create_up_down_counter(
            metrics.STREAMS_OPEN, "{stream}", "Live streams that are open"
        ).add,
        metrics.DELIVERY_TIME: meter.create_histogram(
            metrics.DELIVERY_TIME, "s", "From a message's own time until it is handed to its readers' streams"
        ).record,
        metrics.SEND_QUEUE_TIME: meter.create_histogram(
            metrics.SEND_QUEUE_TIME, "s", "How long a request waited for its turn in a conversation"
        ).record,
        metrics.STREAM_RECORDS: meter.create_counter(
            metrics.STREAM_RECORDS, "{record}", "Records of the table's stream applied"
        ).add,
        metrics.DYNAMODB_UNITS: meter.create_counter(
            metrics.DYNAMODB_UNITS, "{unit}", "Capacity consumed, by operation, table and index"
        ).add,
        metrics.DYNAMODB_TIME: meter.create_histogram(
            metrics.DYNAMODB_TIME, "s", "DynamoDB's answers, botocore's repetitions included"
        ).record,
    }


def _gauge(name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
    """Return the callback that reports the gauge of this name, if the process has set one."""

    def observe(_: CallbackOptions) -> Iterable[Observation]:
        if name in metrics.gauges:
            yield Observation(metrics.gauges[name]())

    return observe
