"""Real clients load the live URLs: LibreOffice, pandas and curl, with dates as dates and numbers as numbers."""

import subprocess
from datetime import datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from service import Running

JUNE = "meter=gas&period=2021-06&tz=UTC"
CSV_OPTIONS = "44,34,76,1,,2057,false,true"
"""LibreOffice's own: comma, quote, UTF-8, from line 1, English (UK), detect dates and numbers."""


def converted(soffice: str, folder: Path, url: str, *options: str) -> Path:
    """What LibreOffice makes of a URL, saved as a workbook."""
    profile = f"-env:UserInstallation=file://{folder}/profile"
    out = folder / "out"
    command = [soffice, profile, "--headless", *options, "--convert-to", "xlsx", "--outdir", str(out), url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    files = list(out.glob("*"))
    assert len(files) == 1, done.stdout + done.stderr
    return files[0]


@pytest.mark.libreoffice
def test_libreoffice_loads_the_csv_of_a_live_url_with_dates_as_dates(
    soffice: str, homes: Running, tmp_path: Path
) -> None:
    url = f"{homes.address}/usage.csv?{JUNE}"
    file = converted(soffice, tmp_path, url, f"--infilter=Text - txt - csv (StarCalc):{CSV_OPTIONS}")
    sheet = openpyxl.load_workbook(file).worksheets[0]
    rows = list(sheet.values)
    assert len(rows) == 1 + 30 * 48
    assert rows[0][:2] == ("time", "energy_kwh")
    assert rows[1][0] == datetime(2021, 6, 1)  # noqa: DTZ001 - cells have no zone
    assert rows[-1][0] == datetime(2021, 6, 30, 23, 30)  # noqa: DTZ001 - cells have no zone
    assert sum(row[1] for row in rows[1:] if isinstance(row[1], int | float)) == pytest.approx(total(homes))
    assert all(isinstance(row[1], int | float) for row in rows[1:])


@pytest.mark.libreoffice
def test_libreoffice_loads_the_workbook_of_a_live_url(soffice: str, homes: Running, tmp_path: Path) -> None:
    file = converted(soffice, tmp_path, f"{homes.address}/usage.xlsx?{JUNE}&aggregate=day")
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == ["usage", "about"]
    rows = list(book["usage"].values)
    assert rows[0][:3] == ("time", "energy_kwh", "carbon_kg")
    assert [row[0] for row in rows[1:]] == [datetime(2021, 6, day) for day in range(1, 31)]  # noqa: DTZ001
    assert sum(row[1] for row in rows[1:] if isinstance(row[1], int | float)) == pytest.approx(total(homes))
    assert list(book["usage"].tables) == ["usage"]


def test_pandas_reads_a_live_url_in_one_line(homes: Running) -> None:
    frame = pd.read_csv(f"{homes.address}/usage.csv?{JUNE}", parse_dates=["time", "time_utc"])
    assert frame["time"].dtype.kind == "M"
    assert frame["energy_kwh"].sum() == pytest.approx(total(homes))
    from_json = pd.read_json(f"{homes.address}/usage.json?{JUNE}")
    assert from_json["energy_kwh"].sum() == pytest.approx(total(homes))
    from_xlsx = pd.read_excel(f"{homes.address}/usage.xlsx?{JUNE}", sheet_name="usage", engine="openpyxl")
    pd.testing.assert_series_equal(from_xlsx["time"].astype(frame["time"].dtype), frame["time"])


@pytest.mark.curl
def test_curl_saves_the_bytes_of_the_service(curl: str, homes: Running, tmp_path: Path) -> None:
    url = f"{homes.address}/usage.csv?{JUNE}"
    subprocess.run([curl, "--fail", "--silent", "--show-error", "-o", tmp_path / "usage.csv", url], check=True)
    assert (tmp_path / "usage.csv").read_bytes() == homes.get(f"/usage.csv?{JUNE}").content


def total(homes: Running) -> float:
    return float(homes.rows(f"/usage.csv?{JUNE}&aggregate=month&columns=energy_kwh")[1][0])
