"""An OpenTelemetry collector that stores what it receives (OTLP over HTTP)."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.processes import fake_service


@dataclass
class Collector:
    url: str = ""
    bodies: dict[str, list[bytes]] = field(default_factory=dict)

    def spans(self) -> list[Span]:
        return [
            span
            for body in list(self.bodies.get("/v1/traces", ()))
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans() if span.name == name]

    def all_bodies(self) -> bytes:
        return b"".join(body for bodies in self.bodies.values() for body in bodies)


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """Collect until the block ends."""
    collector = Collector()

    def store(request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        collector.bodies.setdefault(request.path, []).append(body)
        return 200, b""

    with fake_service(store) as collector.url:
        yield collector
