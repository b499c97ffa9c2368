"""What the hub counts and times, in Prometheus' words. Imported by ``serve`` alone."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from playhead.ports.inbox import Inbox
from playhead.ports.library_jobs import OPEN, LibraryJobs

CONTENT_TYPE = CONTENT_TYPE_LATEST
_LATENCIES_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Measures:
    """All measures of one process; those of the inbox outlive it."""

    def __init__(self, inbox: Inbox, library_jobs: LibraryJobs | None = None) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.registry.register(_InboxCollector(inbox))
        if library_jobs is not None:
            self.registry.register(_ScanCollector(library_jobs))
        self._answers = Counter(
            "playhead_webhooks", "Webhooks answered.", ("connection", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "playhead_webhook_seconds",
            "From a webhook's headers to its answer.",
            buckets=_LATENCIES_S,
            registry=self.registry,
        )
        self._listening = Gauge(
            "playhead_listening",
            "1 where a line to the server is open.",
            ("connection",),
            registry=self.registry,
        )
        self._runs = Counter(
            "playhead_runs", "Scheduled runs by exit code.", ("what", "exit"), registry=self.registry
        )

        self._looks = Counter(
            "playhead_sender_looks",
            "Looks at a sender by outcome.",
            ("sender", "outcome"),
            registry=self.registry,
        )
        self._arrivals = Counter(
            "playhead_sender_arrivals", "What looks at a sender found.", ("sender",), registry=self.registry
        )
        self._offline = Gauge(
            "playhead_sender_offline",
            "Root folders that a sender cannot reach.",
            ("sender",),
            registry=self.registry,
        )

    def note_webhook(self, connection: str, status: int, seconds: float) -> None:
        """Count an answer; ``connection`` "" where the sender was not known."""
        self._answers.labels(connection, str(status)).inc()
        self._seconds.observe(seconds)

    def note_line(self, connection: str, is_open: bool) -> None:
        """Note whether a listener's line is open."""
        self._listening.labels(connection).set(is_open)

    def note_look(self, sender: str, outcome: str, arrivals: int, offline: int) -> None:
        """Count a look at a sender: "answered", or the code of what went wrong."""
        self._looks.labels(sender, outcome).inc()
        self._arrivals.labels(sender).inc(arrivals)
        if outcome == "answered":
            self._offline.labels(sender).set(offline)

    def note_run(self, what: str, code: int) -> None:
        """Count a scheduled run at its end."""
        self._runs.labels(what, str(code)).inc()

    def render(self) -> bytes:
        """All of them as text."""
        return generate_latest(self.registry)


class _InboxCollector(Collector):
    """Counts that the inbox keeps, read when they are asked for."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def collect(self) -> Iterable[Metric]:
        """The two families."""
        events = CounterMetricFamily(
            "playhead_events", "Events that came to an end.", labels=("source", "name", "fate")
        )
        for key, count in self._inbox.count_fates().items():
            events.add_metric(key, count)
        yield events
        yield GaugeMetricFamily(
            "playhead_inbox_waiting", "Events that wait.", value=self._inbox.count_waiting()
        )


class _ScanCollector(Collector):
    """The same of the parts of jobs that have libraries updated."""

    def __init__(self, jobs: LibraryJobs) -> None:
        self._jobs = jobs

    def collect(self) -> Iterable[Metric]:
        """Those that ended, and those that are open."""
        ended = CounterMetricFamily(
            "playhead_scan_parts", "Paths that came to an end.", labels=("connection", "state")
        )
        going = GaugeMetricFamily(
            "playhead_scan_parts_open", "Paths that wait for their proof.", labels=("connection", "state")
        )
        for (connection, state), count in self._jobs.count().items():
            if state in OPEN:
                going.add_metric((connection, state), count)
            else:
                ended.add_metric((connection, state), count)
        yield ended
        yield going
