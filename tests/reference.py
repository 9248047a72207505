"""An independent reference: usage tables in plain Python with zoneinfo, straight from PowerShaper's JSON.

It shares no code with the app. It is slow and simple on purpose.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

HALF_HOUR = timedelta(minutes=30)
MILLIONTH = Decimal("0.000001")
Row = dict[str, Any]


@dataclass(frozen=True)
class HalfHour:
    start: datetime
    kwh: Decimal | None
    kg: Decimal | None


@dataclass(frozen=True)
class ReferenceMeter:
    name: str
    earliest: datetime
    latest: datetime
    half_hours: dict[datetime, HalfHour]

    @classmethod
    def of(cls, name: str, listed: Any, records: Any) -> ReferenceMeter:
        known: dict[datetime, HalfHour] = {}
        for record in records:
            start = datetime.fromisoformat(record["time"]).astimezone(UTC)
            if record["error_count"] or record["energy_kwh"] is None:
                continue
            known[start] = HalfHour(start, _rounded(record["energy_kwh"]), _rounded(record["carbon_kg"]))
        earliest, latest = (datetime.fromisoformat(listed["range"][end]) for end in ("earliest", "latest"))
        return cls(name, earliest, latest, known)

    def expected(self, first: date, last: date, tz: ZoneInfo) -> list[HalfHour]:
        """The half-hours of local days that lie in the meter's range, missing ones with None."""
        found = []
        around = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)
        start = max(self.earliest, around)
        end = min(self.latest, around + timedelta(days=(last - first).days + 5))
        while start <= end:
            if first <= start.astimezone(tz).date() <= last:
                found.append(self.half_hours.get(start, HalfHour(start, None, None)))
            start += HALF_HOUR
        return found


def _rounded(number: Any) -> Decimal | None:
    return None if number is None else Decimal(str(number)).quantize(MILLIONTH, ROUND_HALF_EVEN)


def _bucket(aggregate: str, start: datetime, tz: ZoneInfo) -> tuple[Any, Any]:
    """What identifies a bucket, and its label."""
    local = start.astimezone(tz)
    day = local.date()
    clock = local.replace(tzinfo=None)
    if aggregate == "none":
        return start, clock
    if aggregate == "hour":
        label: Any = clock.replace(minute=0)
        return (label, local.utcoffset()), label
    if aggregate == "profile":
        label = f"{clock.hour:02}:{'30' if clock.minute >= 30 else '00'}"
    else:
        label = {
            "day": day,
            "week": day - timedelta(days=day.weekday()),
            "month": day.replace(day=1),
            "year": day.replace(month=1, day=1),
        }[aggregate]
    return label, label


def _summed(bucket: list[HalfHour], aggregate: str) -> tuple[Decimal | None, Decimal | None, int, Decimal]:
    """Energy, carbon, how many are missing, and the coverage."""
    present = [half_hour for half_hour in bucket if half_hour.kwh is not None]
    kwh = sum((h.kwh for h in present if h.kwh is not None), Decimal(0)) if present else None
    carbon = [h.kg for h in present if h.kg is not None]
    kg = sum(carbon, Decimal(0)) if present and len(carbon) == len(present) else None
    if aggregate == "profile":
        kwh = None if kwh is None else (kwh / len(present)).quantize(MILLIONTH, ROUND_HALF_EVEN)
        kg = None if kg is None else (kg / len(present)).quantize(MILLIONTH, ROUND_HALF_EVEN)
    coverage = (Decimal(100) * len(present) / len(bucket)).quantize(Decimal("0.1"), ROUND_DOWN)
    return kwh, kg, len(bucket) - len(present), coverage


def long_rows(
    meters: list[ReferenceMeter], first: date, last: date, zone: str, aggregate: str, days: str = ""
) -> list[tuple[Any, Row]]:
    """Pairs of a bucket's identity and its row, of the days of the week that are named."""
    tz = ZoneInfo(zone)
    rows = []
    for meter in meters:
        buckets: dict[Any, list[HalfHour]] = defaultdict(list)
        labels = {}
        for half_hour in meter.expected(first, last, tz):
            if not _is_one_of(half_hour.start.astimezone(tz), days):
                continue
            key, label = _bucket(aggregate, half_hour.start, tz)
            buckets[key].append(half_hour)
            labels[key] = label
        for key, bucket in buckets.items():
            kwh, kg, missing, coverage = _summed(bucket, aggregate)
            begin = min(half_hour.start for half_hour in bucket)
            row = {
                "time": labels[key],
                "energy_kwh": kwh,
                "carbon_kg": kg,
                "error_count": missing,
                "meter": meter.name,
                "time_utc": None if aggregate == "profile" else begin,
                "coverage_pct": coverage,
                "offset": begin.astimezone(tz).utcoffset(),
            }
            rows.append((key, row))
    rows.sort(key=lambda pair: (pair[1]["time_utc"] or pair[1]["time"], pair[1]["meter"]))
    return rows


def _is_one_of(local: datetime, days: str) -> bool:
    """Whether a moment lies on one of the days of the week that are named, on any if none is."""
    name = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][local.weekday()]
    kind = "weekend" if name in {"sat", "sun"} else "weekday"
    return not days or name in days.split(",") or kind in days.split(",")


def compare_rows(periods: dict[str, tuple[date, list[tuple[Any, Row]]]], aggregate: str, value: str) -> list[Row]:
    """The rows of compare, the difference too, from the first day and the rows of usage of each period by its name."""
    rows: dict[Any, Row] = {}
    for name, (first, period) in periods.items():
        for _, row in period:
            place = row["time"] if aggregate == "profile" else _place(row["time"], first, aggregate)
            line = rows.setdefault(place, {"time": place} | dict.fromkeys(periods) | {"difference": None})
            line[name] = row[value]
    one, *_, other = periods
    for line in rows.values():
        if line[one] is not None and line[other] is not None:
            line["difference"] = line[other] - line[one]
    return [rows[place] for place in sorted(rows)]


def _place(label: date, first: date, aggregate: str) -> int:
    """The place of a bucket's first day in a period, counted from 1 day by day."""
    place, day = 1, first
    while day < label:
        day += timedelta(days=1)
        if (
            aggregate == "day"
            or (aggregate == "week" and day.weekday() == 0)
            or (aggregate == "month" and day.day == 1)
        ):
            place += 1
    return place


def gap_rows(meters: list[ReferenceMeter], first: date, last: date, zone: str, most: dict[str, Decimal]) -> list[Row]:
    """The rows of gaps: of what is missing or, of the meters for which `most` has a limit, of what is above it."""
    tz = ZoneInfo(zone)
    rows: list[Row] = []
    for meter in meters:
        run: list[datetime] = []
        for half_hour in [*meter.expected(first, last, tz), None]:
            if half_hour is not None and _is_listed(half_hour, most.get(meter.name), missing=not most):
                run.append(half_hour.start)
            elif run:
                rows.append(_run_row(meter.name, run, tz))
                run = []
    return sorted(rows, key=lambda row: (row["start_utc"], row["meter"]))


def _is_listed(half_hour: HalfHour, most: Decimal | None, *, missing: bool) -> bool:
    if missing:
        return half_hour.kwh is None
    return most is not None and half_hour.kwh is not None and half_hour.kwh > most


def _run_row(name: str, run: list[datetime], tz: ZoneInfo) -> Row:
    end = run[-1] + HALF_HOUR
    return {
        "meter": name,
        "start": run[0].astimezone(tz).replace(tzinfo=None),
        "end": end.astimezone(tz).replace(tzinfo=None),
        "half_hours": len(run),
        "start_utc": run[0],
        "end_utc": end,
        "offset": run[0].astimezone(tz).utcoffset(),
        "end offset": end.astimezone(tz).utcoffset(),
    }


def wide_rows(rows: list[tuple[Any, Row]], names: list[str], value: str) -> list[Row]:
    """The rows of layout=wide from those of layout=long."""
    joint: dict[Any, Row] = {}
    for key, row in rows:
        line = joint.setdefault(
            key,
            {"time": row["time"], "time_utc": row["time_utc"], "offset": row["offset"]}
            | {f"{name}_{value}": None for name in names},
        )
        line[f"{row['meter']}_{value}"] = row[value]
        if row["time_utc"] is not None:
            line["time_utc"] = min(line["time_utc"], row["time_utc"])
    return sorted(joint.values(), key=lambda line: line["time_utc"] or line["time"])


def grid_rows(rows: list[tuple[Any, Row]], value: str) -> list[Row]:
    """The rows of layout=grid from the half-hours of layout=long."""
    labels = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, 1440, 30)]
    grid: dict[tuple[date, str], Row] = {}
    for _, row in rows:
        clock = row["time"]
        line = grid.setdefault(
            (clock.date(), row["meter"]),
            {"date": clock.date(), "meter": row["meter"]} | dict.fromkeys(labels),
        )
        label = f"{clock.hour:02}:{clock.minute // 30 * 30:02}"
        if row[value] is not None:
            line[label] = row[value] + (line[label] or 0)
    return [grid[key] for key in sorted(grid)]


def as_csv(rows: list[Row], header: list[str]) -> str:
    """The rows as the contract writes a CSV."""
    lines = [",".join(header), *(",".join(_csv_cell(row[name]) for name in header) for row in rows)]
    return "".join(line + "\r\n" for line in lines)


def as_json(rows: list[Row], header: list[str]) -> list[dict[str, Any]]:
    """The rows as the contract's JSON reads back."""
    return [{name: _json_cell(row[name], row, name) for name in header} for row in rows]


def _csv_cell(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, Decimal):
        text = f"{cell:f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
    return str(cell)


def _json_cell(cell: Any, row: Row, name: str) -> Any:
    if isinstance(cell, datetime):
        if cell.tzinfo:
            return cell.strftime("%Y-%m-%dT%H:%M:%SZ")
        minutes = int(row["end offset" if name == "end" else "offset"].total_seconds()) // 60
        sign = "-" if minutes < 0 else "+"
        return f"{cell.isoformat()}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    if isinstance(cell, Decimal):
        return float(cell) if cell % 1 else int(cell)
    return cell.isoformat() if isinstance(cell, date) else cell
