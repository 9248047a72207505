"""Meters as a test needs them."""

from collections.abc import Mapping
from typing import Any

from app.domain.meters import ListedMeter, Meter
from app.domain.spans import Span


def meter(
    name: str = "gas",
    *,
    span: Span | None = None,
    further: Mapping[str, Any] | None = None,
    is_listed: bool = True,
) -> Meter:
    """A gas meter."""
    return Meter(1, name, ListedMeter("5f1c9a52", "gas", "active", span, further or {}), is_listed=is_listed, held=None)
