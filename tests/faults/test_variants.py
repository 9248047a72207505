"""What is no fault: every variant of PowerShaper's rows gives 200 with the right rows, and is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import orjson
import pytest
from faults.faulty import ELECTRICITY, Spoils, faulty_service, nobody_listens, records
from upstream.raw_server import answer, sends

USAGE = f"/usage.csv?meter={ELECTRICITY}&start=2021-03-01&end=2021-03-05&tz=UTC"
Record = dict[str, Any]
Line = list[str]
SEVENTH = 7


def of_rows(vary: Callable[[list[Record]], Sequence[Any]]) -> Spoils:
    """The good page with other rows."""
    return lambda good: sends(answer(orjson.dumps(vary(orjson.loads(good)))))


def each(change: Callable[[Record], Record]) -> Spoils:
    """The good page with every row changed."""
    return of_rows(lambda rows: [change(row) for row in rows])


def without(key: str) -> Spoils:
    """No row has a key."""
    return each(lambda row: {name: value for name, value in row.items() if name != key})


def at(zone: timezone) -> Spoils:
    """All times in another zone."""
    return each(lambda row: row | {"time": datetime.fromisoformat(row["time"]).astimezone(zone).isoformat()})


def hours(hours: float) -> timezone:
    return timezone(timedelta(hours=hours))


def same(lines: list[Line]) -> list[Line]:
    return lines


def seventh_is_blank(lines: list[Line]) -> list[Line]:
    """Time, energy, carbon, errors, meter, time in UTC, coverage: the seventh half-hour is missing."""
    line = lines[SEVENTH]
    return [*lines[:SEVENTH], [line[0], "", "", "1", *line[4:6], "0"], *lines[SEVENTH + 1 :]]


def no_carbon(lines: list[Line]) -> list[Line]:
    return [lines[0], *([*line[:2], "", *line[3:]] for line in lines[1:])]


def seventh(change: Callable[[Record], list[Record]]) -> Spoils:
    """The seventh row replaced by others."""
    return of_rows(lambda rows: [*rows[: SEVENTH - 1], *change(rows[SEVENTH - 1]), *rows[SEVENTH:]])


@dataclass(frozen=True)
class Variant:
    """What the server does with a good page of half-hours, and what the CSV's lines become."""

    name: str
    spoils: Spoils
    becomes: Callable[[list[Line]], list[Line]] = same


VARIANTS = [
    Variant("null energy", seventh(lambda row: [row | {"energy_kwh": None}]), seventh_is_blank),
    Variant("flagged zero", seventh(lambda row: [row | {"energy_kwh": 0, "error_count": 1}]), seventh_is_blank),
    Variant("flagged value", seventh(lambda row: [row | {"error_count": 1}]), seventh_is_blank),
    Variant("left out", seventh(lambda _: []), seventh_is_blank),
    Variant("numeric strings", each(lambda row: row | {key: str(row[key]) for key in ("energy_kwh", "carbon_kg")})),
    Variant("errors as strings", each(lambda row: row | {"error_count": str(row["error_count"])})),
    Variant("unordered rows", of_rows(lambda rows: rows[1::2] + rows[::2][::-1])),
    Variant("reversed rows", of_rows(lambda rows: rows[::-1])),
    Variant("duplicates", of_rows(lambda rows: rows + rows)),
    Variant("a duplicate that differs", seventh(lambda row: [row | {"energy_kwh": 77}, row])),
    Variant("a duplicate that is null", seventh(lambda row: [row, row | {"energy_kwh": None}])),
    Variant("a duplicate that is flagged", seventh(lambda row: [row, row | {"energy_kwh": 0, "error_count": 1}])),
    Variant("rows before the span", of_rows(lambda rows: [rows[0] | {"time": "2021-02-28T23:30:00Z"}, *rows])),
    Variant("rows after the span", of_rows(lambda rows: [*rows, rows[0] | {"time": "2021-03-06T00:00:00Z"}])),
    Variant("rows years away", of_rows(lambda rows: [*rows, rows[0] | {"time": "1971-01-01T00:00:00Z"}])),
    Variant("absent carbon", without("carbon_kg"), no_carbon),
    Variant("null carbon", each(lambda row: row | {"carbon_kg": None}), no_carbon),
    Variant("absent error_count", without("error_count")),
    Variant("null error_count", each(lambda row: row | {"error_count": None})),
    Variant("further keys", each(lambda row: row | {"quality": {"of": ["a", 1, None]}, "": "x"})),
    Variant("+00:00", at(UTC)),
    Variant("+01:00", at(hours(1))),
    Variant("-03:30", at(hours(-3.5))),
    Variant("+05:45", at(hours(5.75))),
    Variant("+14:00", at(hours(14))),
    Variant("no offset", each(lambda row: row | {"time": row["time"].rstrip("Z")})),
    Variant("a space for the T", each(lambda row: row | {"time": row["time"].replace("T", " ")})),
    Variant("fractions of a second", each(lambda row: row | {"time": row["time"].replace("Z", ".000000Z")})),
    Variant("white space", lambda good: sends(answer(b" \r\n\t" + good + b"\n"))),
    Variant("another content type", lambda good: sends(answer(good, head="Content-Type: text/html; charset=latin-1"))),
]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    """The lines of a PowerShaper that is well."""
    with faulty_service(tmp_path_factory.mktemp("well")) as service:
        lines = service.rows(USAGE)
    assert len(lines) == 1 + 5 * 48
    assert all(line[1] and line[2] and line[3] == "0" for line in lines[1:])
    return lines


@pytest.mark.parametrize("variant", VARIANTS, ids=[variant.name for variant in VARIANTS])
def test_a_variant_gives_the_right_rows_and_is_kept(variant: Variant, lines: list[Line], tmp_path: Path) -> None:
    with faulty_service(tmp_path) as service:
        service.faulty.spoils, service.faulty.hits = variant.spoils, records
        answered = service.get(USAGE)
        assert answered.status_code == 200
        assert answered.headers["cache-status"] == "powershaper-sheets; fwd=miss"
        assert [line.split(",") for line in answered.text.splitlines()] == variant.becomes(lines)
    with faulty_service(tmp_path) as service, nobody_listens() as port:
        service.faulty.wire.astray = {"port": port}
        assert service.text(USAGE) == answered.text
        assert service.calls == []


def test_a_list_of_meters_may_say_more_and_less(tmp_path: Path) -> None:
    def vary(meters: list[Record]) -> list[Record]:
        gas, *others = sorted(meters, key=lambda meter: meter["type"] != "gas")
        bare = {"consent_uuid": gas["consent_uuid"], "type": "gas", "range": gas["range"] | {"of": "half-hours"}}
        return [*others, bare, bare | {"type": "export", "range": None}]

    with faulty_service(tmp_path) as service:
        service.faulty.spoils = lambda good: sends(answer(orjson.dumps(vary(orjson.loads(good)))))
        names = [row[0] for row in service.rows("/meters.csv?columns=meter,status")]
        assert names == ["meter", "electricity-5f1c9a52", "electricity-b27d04e6", "export", "gas"]
        service.faulty.heal()
        assert len(service.rows("/usage.csv?meter=gas&start=2021-03-01&end=2021-03-01&tz=UTC")) == 49
        assert len(service.rows("/usage.csv?meter=export&start=2021-03-01&end=2021-03-01")) == 1, "it has no range yet"
