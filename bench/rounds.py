"""Interleaved rounds: every rival once a round, in turn, and the median of each, so that a drift strikes all alike."""

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """The median milliseconds of processor time of a way, and the peak of the memory that it added, in MB."""

    milliseconds: float
    peak_mb: float


def measure(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Measured]:
    """Runs each way once to warm up and for its memory, then `rounds` times for its time."""
    peaks = {name: _peak_mb(way) for name, way in ways.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            gc.collect()
            begin = time.process_time()
            way()
            times[name].append(1000 * (time.process_time() - begin))
    return {name: Measured(statistics.median(times[name]), peaks[name]) for name in ways}


def show(title: str, measured: Mapping[str, Measured], ours: str) -> None:
    """Prints a table; the last column says how many times as long as ours a way takes."""
    print(f"\n{title}\n{'':34}{'median ms':>12}{'added MB':>12}{'× ours':>10}")
    for name, one in measured.items():
        ratio = one.milliseconds / measured[ours].milliseconds
        print(f"{name:34}{one.milliseconds:12.1f}{one.peak_mb:12.1f}{ratio:10.1f}")


def _peak_mb(way: Callable[[], object]) -> float:
    """The most memory that was held at once beyond what was held before; numpy's arrays count."""
    way()
    gc.collect()
    tracemalloc.start()
    way()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6
