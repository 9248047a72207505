"""How the service is, as rows of a table and as metrics of Prometheus, for the meters that the asker may read."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from app.domain.meters import Meter
from app.readthrough import Status
from app.tables import Cell

PREFIX = "powershaper_sheets"
Permits = Callable[[Meter], bool]


def status_facts(status: Status, permits: Permits) -> list[tuple[str, Cell | None]]:
    """Names and values; moments are UTC texts, None is what never was."""
    health, state = status.health, status.health.state
    meters = [meter for meter in status.meters if permits(meter)]
    held = {meter.name: status.held.get(meter.id, 0) for meter in meters}
    return [
        ("version", version("powershaper-sheets")),
        ("time_utc", _moment(health.now)),
        ("powershaper", health.upstream),
        ("calls_made", state.calls),
        ("calls_made_since_start", status.calls),
        ("calls_saved_since_start", status.calls_saved),
        ("calls_per_minute", status.calls_per_minute),
        ("fetches_under_way", status.under_way),
        ("paused_until_utc", _ahead(state.paused_until, health.now)),
        ("breaker", "open" if state.failures >= health.limits.failures_to_open else "closed"),
        ("breaker_open_until_utc", _ahead(state.open_until, health.now)),
        ("refused_until_utc", _ahead(state.refused_until, health.now)),
        ("last_answer_utc", _moment(state.answered_at)),
        ("last_error", state.last_error or None),
        ("last_error_utc", _moment(state.last_error_at)),
        ("meters", len(meters)),
        ("meters_listed_utc", _moment(health.listed_at or 0)),
        ("half_hours", sum(held.values())),
        *((f"half_hours {name}", count) for name, count in held.items()),
        ("archive", "degraded" if health.trouble else "ok"),
        ("archive_trouble", health.trouble),
        ("archive_bytes", status.archive_bytes),
    ]


def metrics(status: Status, permits: Permits) -> bytes:
    """The same in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(status, permits))
    return generate_latest(registry)


class _Collected(Collector):
    """prometheus_client's way to be given numbers that are counted elsewhere."""

    def __init__(self, status: Status, permits: Permits) -> None:
        self._status = status
        self._permits = permits

    def collect(self) -> Iterator[Metric]:
        """The metrics of one moment."""
        status, health, state = self._status, self._status.health, self._status.health.state
        made = CounterMetricFamily(f"{PREFIX}_upstream_calls", "Calls made to PowerShaper, ever.")
        made.add_metric([], state.calls)
        yield made
        saved = CounterMetricFamily(f"{PREFIX}_upstream_calls_saved", "Calls spared by what is held, since the start.")
        saved.add_metric([], status.calls_saved)
        yield saved
        for name, text, value in (
            ("upstream_up", "1 if PowerShaper may be asked.", health.upstream == "ok"),
            ("upstream_fetches", "Fetches under way.", status.under_way),
            ("upstream_calls_per_minute", "Calls a minute that are allowed now.", status.calls_per_minute),
            ("upstream_paused_until_seconds", "When the pause ends, 0: never paused.", state.paused_until),
            ("breaker_open", "1 if too many calls failed.", state.failures >= health.limits.failures_to_open),
            ("breaker_open_until_seconds", "When it is probed next.", state.open_until),
            ("upstream_refused_until_seconds", "When the token is tried again.", state.refused_until),
            ("upstream_last_answer_seconds", "When PowerShaper last answered.", state.answered_at),
            ("upstream_last_error_seconds", "When a call last failed.", state.last_error_at),
            ("archive_bytes", "The size of the archive.", status.archive_bytes),
            ("archive_degraded", "1 if the archive can't be written.", health.trouble is not None),
        ):
            yield GaugeMetricFamily(f"{PREFIX}_{name}", text, value=float(value))
        error = InfoMetricFamily(f"{PREFIX}_upstream_last_error", "What the last failure was.")
        error.add_metric([], {"error": state.last_error})
        yield error
        held = GaugeMetricFamily(f"{PREFIX}_half_hours", "Half-hours held that have a value.", labels=["meter"])
        for meter in filter(self._permits, status.meters):
            held.add_metric([meter.name], status.held.get(meter.id, 0))
        yield held


def _ahead(until: float, now: float) -> str | None:
    return _moment(until) if until > now else None


def _moment(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S") if seconds else None
