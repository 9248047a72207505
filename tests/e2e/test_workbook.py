"""The ready-made report over HTTP: its cells are the tables' own, its totals are formulas with their values."""

import io
import re
import subprocess
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from formats.packages import assert_sound
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from service import A_ELECTRICITY, A_GAS, B_ELECTRICITY, Running

OCTOBER = f"meter={A_ELECTRICITY}&meter={A_GAS}&period=2021-10"
SHEETS = ["overview", "days", "months", "profile", "heat map", "half-hours", "gaps", "about"]


def body_of(homes: Running, asked: str) -> bytes:
    answer = homes.get(f"/workbook.xlsx?{asked}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == 'inline; filename="workbook.xlsx"'
    return answer.content


def opened(body: bytes, *, values: bool = True) -> Workbook:
    return load_workbook(io.BytesIO(body), data_only=values)


def table_of(book: Workbook, title: str) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of a sheet's Excel table, its total's row left out."""
    sheet = book[title]
    (table,) = sheet.tables.values()
    header, *rows = [[cell.value for cell in row] for row in sheet[table.ref]]
    return header, rows[: len(rows) - (table.totalsRowCount or 0)]


def in_csv(homes: Running, path: str) -> list[list[float | None]]:
    """A table's numbers, without its first two columns."""
    return [[float(cell) if cell else None for cell in row[2:]] for row in homes.rows(path)[1:]]


def charts(body: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        return sum(name.startswith("xl/charts/chart") for name in package.namelist())


def overview(book: Workbook) -> dict[str, list[Any]]:
    return {str(row[0]).strip(): list(row[1:]) for row in book["overview"].iter_rows(min_row=5, values_only=True)}


def test_the_report_has_its_sheets_tables_and_charts_and_is_sound(homes: Running) -> None:
    body = body_of(homes, OCTOBER)
    assert_sound(body)
    book = opened(body)
    assert book.sheetnames == SHEETS
    assert [name for sheet in book for name in sheet.tables] == ["days", "months", "profile", "half_hours", "gaps"]
    assert charts(body) == 1 + 2 + 2 + 2
    assert all(sheet.page_setup.paperSize == 9 for sheet in book)
    facts = [row[0] for row in book["about"].iter_rows(values_only=True)]
    assert facts[1:] == ["meter", "period", "coverage", "time zone", "last confirmed", "address"]


@pytest.mark.parametrize(("title", "aggregate", "time"), [("days", "day", "date"), ("months", "month", "month")])
def test_days_and_months_hold_the_numbers_of_the_csv(homes: Running, title: str, aggregate: str, time: str) -> None:
    asked = f"meter={A_ELECTRICITY}&meter={A_GAS}&start=2021-03-20&end=2021-11-03"
    header, rows = table_of(opened(body_of(homes, asked)), title)
    wide = f"/usage.csv?{asked}&aggregate={aggregate}&layout=wide"
    energy, carbon = in_csv(homes, wide), in_csv(homes, f"{wide}&value=carbon_kg")
    missing = in_csv(homes, f"{wide}&value=error_count")
    assert header == [
        time, f"{A_ELECTRICITY} kWh", "gas kWh", f"{A_ELECTRICITY} kg CO2e", f"{A_ELECTRICITY} missing", "gas missing",
    ]  # fmt: skip
    assert [row[1:] for row in rows] == [[*e, c[0], *m] for e, c, m in zip(energy, carbon, missing, strict=True)]


def test_half_hours_of_a_day_of_50_hold_those_of_the_csv(homes: Running) -> None:
    asked = f"meter={B_ELECTRICITY}&period=2013-10-27"
    book = opened(body_of(homes, asked))
    _, rows = table_of(book, "half-hours")
    expected = homes.rows(f"/usage.csv?{asked}&columns=time,energy_kwh,carbon_kg,time_utc")[1:]
    assert len(rows) == 50
    assert [
        [str(row[0]), *(f"{n:.6f}".rstrip("0").rstrip(".") for n in row[1:3]), str(row[3])] for row in rows
    ] == expected
    heat = [cell.value for cell in book["heat map"][6]]
    assert heat[:6] == [datetime(2013, 10, 27), *heat[1:3], 2.526, 1.442, heat[5]]  # noqa: DTZ001 - cells have no zone


def test_totals_are_formulas_that_hold_their_values(homes: Running) -> None:
    body = body_of(homes, OCTOBER)
    months = in_csv(homes, f"/usage.csv?{OCTOBER}&aggregate=month&layout=wide")[0]
    formulas, values = opened(body, values=False), opened(body)
    assert overview(formulas)["Energy, kWh"] == [f"=SUM(days[{A_ELECTRICITY} kWh])", "=SUM(days[gas kWh])"]
    assert overview(values)["Energy, kWh"] == months
    assert formulas["days"]["A36"].value == "Total"
    assert formulas["days"]["B36"].value == f"=SUBTOTAL(109,days[{A_ELECTRICITY} kWh])"
    assert [values["days"][f"{letter}36"].value for letter in "BC"] == months
    for sheet in formulas:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert values[sheet.title][cell.coordinate].value is not None, (sheet.title, cell.coordinate)


def test_the_overview_says_peak_base_load_and_coverage(homes: Running) -> None:
    asked = f"meter={B_ELECTRICITY}&period=2013-03"
    shown = overview(opened(body_of(homes, asked)))
    rows = [row for row in homes.rows(f"/usage.csv?{asked}&columns=time,energy_kwh")[1:] if row[1]]
    peak = max(rows, key=lambda row: float(row[1]))
    assert shown["Peak half-hour, kWh"] == [float(peak[1])]
    assert shown["when"] == [datetime.fromisoformat(peak[0])]
    assert shown["Missing half-hours"] == [31 * 48 - 2 - len(rows)]
    assert shown["Coverage, %"] == [1000 * len(rows) // (31 * 48 - 2) / 10]
    nights: dict[str, list[float]] = {}
    for at, energy in rows:
        if at[11:13] < "06":
            nights.setdefault(at[:10], []).append(float(energy))
    full = sorted(min(night) for day, night in nights.items() if len(night) == (10 if day == "2013-03-31" else 12))
    middle = (full[(len(full) - 1) // 2] + full[len(full) // 2]) / 2
    assert shown["Base load at night, kW"] == [pytest.approx(2 * middle)]


def test_the_gaps_of_the_report_are_those_of_the_table(homes: Running) -> None:
    asked = f"meter={B_ELECTRICITY}&period=2013-03"
    header, rows = table_of(opened(body_of(homes, asked)), "gaps")
    expected = homes.rows(f"/gaps.csv?{asked}")
    assert [header, *([str(cell) for cell in row] for row in rows)] == expected


def test_the_profile_has_the_mean_weekday_and_weekend(homes: Running) -> None:
    header, rows = table_of(opened(body_of(homes, "meter=gas&period=2021-10")), "profile")
    assert header == ["time of day", "gas weekday", "gas weekend"]
    for i, days in enumerate(("weekday", "weekend"), 1):
        path = f"/usage.csv?meter=gas&period=2021-10&aggregate=profile&days={days}&columns=time,energy_kwh"
        expected = homes.rows(path)[1:]
        assert [[f"{row[0]:%H:%M}", row[i]] for row in rows] == [[at, float(energy)] for at, energy in expected]


def test_a_long_period_says_what_it_shows_elsewhere(homes: Running) -> None:
    body = body_of(homes, "meter=gas&period=all")
    book = opened(body)
    assert "the sheet months has one" in book["days"]["A2"].value
    assert charts(body) == 3, "of the overview, the months and the profile, none of the days"
    assert "the last 366 of 980 days" in book["heat map"]["A4"].value
    assert len(table_of(book, "half-hours")[1]) == len(homes.rows("/usage.csv?meter=gas&period=all")) - 1


def test_a_period_without_data_still_makes_a_sound_workbook(homes: Running) -> None:
    body = body_of(homes, "meter=gas&period=2010-01")
    assert_sound(body)
    book = opened(body)
    assert table_of(book, "days")[1] == [[None] * len(table_of(book, "days")[0])]
    assert overview(book)["Energy, kWh"] == [None]
    assert "There are no half-hours in this period" in book["overview"]["A2"].value
    assert charts(body) == 0


def test_a_period_without_an_end_of_its_own_is_named_by_the_days_that_there_are(homes: Running) -> None:
    first, last = (
        homes.rows(f"/usage.csv?meter=gas&period=all&aggregate=day&{end}=1")[1][0] for end in ("first", "last")
    )
    book = opened(body_of(homes, "meter=gas&period=all"))
    assert book["overview"]["A2"].value == f"{first} to {last} (all), time zone Europe/London"


def test_the_moment_of_a_peak_fits_its_column(homes: Running) -> None:
    sheet = opened(body_of(homes, OCTOBER))["overview"]
    assert sheet.column_dimensions["B"].width >= len("Wed 30 Sep 2026 20:30") + 3


def test_every_page_of_a_long_heat_map_has_the_hours_above_it(homes: Running) -> None:
    sheet = opened(body_of(homes, "period=2021"))["heat map"]
    assert sheet.print_title_rows == "$5:$5"
    assert sheet["B5"].value == "00:00"
    assert opened(body_of(homes, OCTOBER))["heat map"].print_title_rows is None


def test_charts_that_stand_beside_a_wide_table_have_pages_of_their_own(homes: Running) -> None:
    wide = opened(body_of(homes, "period=2021-10"))
    areas = wide["days"].print_area.replace("$", "").replace("'days'!", "").split(",")
    assert areas == ["A1:H36", "I4:W23", "I24:W43", "I44:W63"], "the table with its total, and three charts"
    assert all(wide[title].print_area for title in ("days", "months", "profile"))
    narrow = opened(body_of(homes, "meter=gas&period=2021-10"))
    assert not any(narrow[title].print_area for title in ("days", "months", "profile"))


def test_the_workbook_comes_in_no_other_format(homes: Running) -> None:
    for extension in ("csv", "json", "html"):
        answer = homes.get(f"/workbook.{extension}")
        assert answer.status_code == 404
        assert "/workbook.xlsx" in answer.text


def test_an_error_of_the_workbook_can_be_a_workbook(homes: Running) -> None:
    answer = homes.get("/workbook.xlsx?period=never&errors=cell")
    assert answer.status_code == 200
    assert_sound(answer.content)
    assert opened(answer.content).sheetnames == ["workbook", "about"]
    assert homes.get("/workbook.xlsx?period=never").status_code == 400
    assert homes.get(f"/workbook.xlsx?meter={quote('<b>')}").status_code == 404


@pytest.mark.libreoffice
def test_libreoffice_computes_the_totals_that_the_workbook_holds(soffice: str, homes: Running, tmp_path: Path) -> None:
    body = body_of(homes, OCTOBER)
    stale = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as before, zipfile.ZipFile(stale, "w") as after:
        for name in before.namelist():  # without the values, so that LibreOffice has to compute them
            after.writestr(name, re.sub(rb"</f><v>[^<]*</v>", b"</f>", before.read(name)))
    (tmp_path / "a.xlsx").write_bytes(stale.getvalue())
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    out = tmp_path / "out"
    command = [soffice, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(out), f"{tmp_path}/a.xlsx"]
    subprocess.run(command, capture_output=True, timeout=180, check=True)
    ours, theirs = opened(body), load_workbook(tmp_path / "out" / "a.xlsx", data_only=True)
    assert theirs.sheetnames == SHEETS
    for label in ("Energy, kWh", "Peak half-hour, kWh", "Carbon, kg CO2e", "Missing half-hours"):
        held, computed = overview(ours)[label], overview(theirs)[label]
        assert computed[: len(held)] == [None if cell is None else pytest.approx(cell) for cell in held]
    assert overview(theirs)["when"][:2] == overview(ours)["when"]
    assert theirs["days"]["B36"].value == pytest.approx(ours["days"]["B36"].value)
