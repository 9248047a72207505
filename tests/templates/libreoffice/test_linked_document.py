"""The linked workbook in a real LibreOffice: refreshed from the live service, and again when the data has changed."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from service import Running, running
from templates.libreoffice.office import office, python_with_uno, told
from templates.templates import AT_HOME, TEMPLATES

pytestmark = pytest.mark.uno

FOLDER = TEMPLATES / "libreoffice"
REFRESH = Path(__file__).with_name("refresh.py")
SHEETS = ["About", "Two profiles", "Days", "Last month", "Last 12 months"]


@dataclass
class Opened:
    """An office that listens, and a service whose clock stands on the evening of a day before its data ends."""

    pipe: str
    service: Running
    folder: Path

    def refreshed(self, book: Path, before: str, name: str) -> dict[str, Any]:
        copy = Path(shutil.copy(book, self.folder / f"of-{name}"))
        said = told(REFRESH, self.pipe, copy, before, self.service.address, self.folder / name)
        return dict(json.loads(said))

    def table(self, asked: str) -> list[list[Any]]:
        """The service's own rows as Calc has them: days and times of day as numbers, missing as empty text."""
        rows = self.service.rows(f"/usage.csv?{asked}&layout=wide")
        return [rows[0], *([calc(cell) for cell in row] for row in rows[1:])]


def calc(cell: str) -> float | str:
    if not cell:
        return ""
    if len(cell) == 5 and cell[2] == ":":
        return (int(cell[:2]) * 60 + int(cell[3:])) / 1440
    if cell[4:5] == "-":
        moment = datetime.fromisoformat(cell) - datetime(1899, 12, 30)  # noqa: DTZ001 - cells have no zone
        return moment / timedelta(days=1)
    return float(cell)


@pytest.fixture(scope="module")
def opened(soffice: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    python_with_uno()
    folder = tmp_path_factory.mktemp("office")
    now = datetime(2022, 12, 3, 20, tzinfo=UTC)
    with running(folder, now=now) as service, office(soffice, folder) as pipe:
        yield Opened(pipe, service, folder)


def near(shown: list[list[Any]], expected: list[list[Any]]) -> bool:
    """Whether cells are the same; numbers to a millionth of a millionth."""
    assert shown[0] == expected[0]
    assert len(shown) == len(expected)
    for one, other in zip(shown[1:], expected[1:], strict=True):
        assert one == [pytest.approx(cell, abs=1e-9) if isinstance(cell, float) else cell for cell in other]
    return True


def test_the_links_are_refreshed_and_follow_the_data(opened: Opened) -> None:
    first = opened.refreshed(FOLDER / "powershaper.ods", AT_HOME, "kept.ods")
    assert list(first["sheets"]) == SHEETS
    assert all(link.startswith(f"{opened.service.address}/usage.csv?") for link in first["links"])
    days = opened.table("period=last-31-days&aggregate=day")
    assert near(first["sheets"]["Days"], days)
    assert first["shown"] == "2022-11-02"
    assert first["narrow"] == [], "a number or date without room is ### to its reader"
    profiles(opened, first)

    opened.service.clock.now += timedelta(days=2).total_seconds()
    then = opened.refreshed(opened.folder / "kept.ods", "nothing to change", "kept-again.ods")
    assert near(then["sheets"]["Days"], opened.table("period=last-31-days&aggregate=day"))
    newest = date(1899, 12, 30) + timedelta(days=then["sheets"]["Days"][-1][0])
    assert newest == date(2022, 12, 4)
    assert then["sheets"]["Days"] != first["sheets"]["Days"]
    profiles(opened, then)


def profiles(opened: Opened, said: dict[str, Any]) -> None:
    """The sheet that formulas fill from the linked ones shows the first meter of both."""
    month = opened.table("period=last-month&aggregate=profile")
    year = opened.table("period=last-12-months&aggregate=profile")
    assert near(said["sheets"]["Last month"], month)
    assert near(said["sheets"]["Last 12 months"], year)
    expected = [[m[0], m[2], y[2]] for m, y in zip(month[1:], year[1:], strict=True)]
    assert near(said["sheets"]["Two profiles"], [["time", "Last month", "Last 12 months"], *expected])
    assert said["lines"] == [[pytest.approx(cell, abs=1e-9) for cell in row[1:]] for row in expected], "the chart's"


def test_the_workbook_is_the_one_that_its_script_makes(opened: Opened) -> None:
    told(FOLDER / "make.py", opened.pipe, opened.folder / "made.ods")
    made = opened.refreshed(opened.folder / "made.ods", AT_HOME, "made-kept.ods")
    held = opened.refreshed(FOLDER / "powershaper.ods", AT_HOME, "held-kept.ods")
    assert made == held
