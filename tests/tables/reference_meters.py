"""The half-hours of a test as the reference has them."""

from decimal import Decimal

from domain.half_hour_cells import cells_of
from reference import HalfHour, ReferenceMeter

from app.domain.halfhours import HalfHours
from app.domain.spans import starts_at_utc


def reference_meter(name: str, half_hours: HalfHours) -> ReferenceMeter:
    """A meter whose range is just these half-hours, at least one."""
    known = {
        starts_at_utc(i): HalfHour(starts_at_utc(i), _millionths(cell.micro_kwh), _millionths(cell.micro_kg))
        for i, cell in enumerate(cells_of(half_hours), half_hours.first)
        if cell.micro_kwh is not None
    }
    span = half_hours.span
    return ReferenceMeter(name, starts_at_utc(span.first), starts_at_utc(span.stop - 1), known)


def _millionths(number: int | None) -> Decimal | None:
    return None if number is None else Decimal(number).scaleb(-6)
