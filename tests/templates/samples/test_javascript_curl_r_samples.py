"""The templates for Node, curl and R run as they stand, with a key and without one."""

import csv
import json
import os
import re
import subprocess
from pathlib import Path

import openpyxl
import pytest
from conftest import program
from service import A_ELECTRICITY, HOME_A, Running
from templates.templates import ROOT, TEMPLATES, here

FILES = {
    "meters.csv": "/meters.csv",
    "last-month.csv": "/usage.csv?period=last-month",
    "gaps.csv": "/gaps.csv?period=all",
}


def with_key(service: Running, key: str) -> dict[str, str]:
    return dict(os.environ) | {"SHEETS_ADDRESS": service.address, "SHEETS_KEY": key}


def run(command: list[str | Path], folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_the_module_for_node_gives_meters_records_and_errors(
    node: Path, guarded: Running, key: str, tmp_path: Path
) -> None:
    (tmp_path / "powershaper.mjs").write_text((TEMPLATES / "javascript" / "powershaper.mjs").read_text("utf-8"))
    (tmp_path / "own.mjs").write_text(
        'import { getMeters, getUsageRecords } from "./powershaper.mjs";\n'
        f'const day = await getUsageRecords("2021-03-28", "2021-03-28", "{HOME_A}", "gas", "none");\n'
        f'const asked = getUsageRecords("2021-03-28", "2021-03-28", "{HOME_A}", "steam");\n'
        "const no = await asked.catch((error) => `${error}`);\n"
        "console.log(JSON.stringify([await getMeters(), day, no]));\n"
    )
    done = run([node, "own.mjs"], tmp_path, with_key(guarded, key))
    assert done.returncode == 0, done.stderr
    meters, day, no = json.loads(done.stdout)
    asked = f"period=2021-03-28&meter=gas&columns=time,energy_kwh,carbon_kg,error_count&key={key}"
    assert meters == guarded.get(f"/meters.json?key={key}").json()
    assert day == guarded.get(f"/usage.json?{asked}").json()
    assert len(day) == 46
    assert "names no meter" in no


def test_parameters_of_the_module_may_be_pairs_as_its_header_and_page_show(
    node: Path, guarded: Running, key: str, tmp_path: Path
) -> None:
    module = TEMPLATES / "javascript" / "powershaper.mjs"
    texts = [file.read_text("utf-8") for file in (ROOT / "docs" / "javascript.md", module)]
    page, header = (re.findall(r"^(?://   )?await (rows\(.+\));$", text, re.MULTILINE) for text in texts)
    assert page == header
    usage, compare = page
    as_search = re.sub(r"(\[\[.+\]\])", r"new URLSearchParams(\1)", compare)
    assert as_search != compare
    (tmp_path / "own.mjs").write_text(
        f'import {{ rows }} from "{module.as_uri()}";\n'
        f"console.log(JSON.stringify(await Promise.all([{usage}, {compare}, {as_search}])));\n"
    )
    done = run([node, "own.mjs"], tmp_path, with_key(guarded, key))
    assert done.returncode == 0, done.stderr
    by_object, by_pairs, by_search = json.loads(done.stdout)
    assert by_object == guarded.get(f"/usage.json?period=last-month&aggregate=day&key={key}").json()
    assert list(by_pairs[0]) == ["time", "2021-01", "2021-07"]
    assert by_pairs == by_search
    assert by_pairs == guarded.get(f"/compare.json?meter=gas&period=2021-01&period=2021-07&key={key}").json()


def test_the_module_for_node_run_alone_shows_the_month(node: Path, guarded: Running, key: str, tmp_path: Path) -> None:
    done = run([node, TEMPLATES / "javascript" / "powershaper.mjs"], tmp_path, with_key(guarded, key))
    assert done.returncode == 0, done.stderr
    assert A_ELECTRICITY in done.stdout
    assert "energy_kwh" in done.stdout


@pytest.mark.curl
def test_curl_downloads_the_bytes_and_again_only_what_changed(
    curl: str, guarded: Running, key: str, tmp_path: Path
) -> None:
    assert curl
    script: list[str | Path] = ["sh", TEMPLATES / "curl" / "download.sh"]
    done = run(script, tmp_path, with_key(guarded, key))
    assert (done.returncode, done.stderr) == (0, "")
    for name, path in FILES.items():
        asked = f"{path}{'&' if '?' in path else '?'}key={key}"
        assert (tmp_path / name).read_bytes() == guarded.get(asked).content, name
    assert openpyxl.load_workbook(tmp_path / "days.xlsx").sheetnames == ["usage", "about"]
    (tmp_path / "meters.csv").write_text("held")
    again = run(script, tmp_path, with_key(guarded, key))
    assert (again.returncode, again.stderr) == (0, "")
    assert (tmp_path / "meters.csv").read_text() == "held", "304: what didn't change is not fetched again"
    (tmp_path / "meters.csv").unlink()
    assert run(script, tmp_path, with_key(guarded, key)).returncode == 0
    assert (tmp_path / "meters.csv").read_bytes() == guarded.get(f"/meters.csv?key={key}").content


@pytest.mark.curl
def test_curl_shows_an_error_and_leaves_the_files_alone(curl: str, guarded: Running, tmp_path: Path) -> None:
    assert curl
    (tmp_path / "meters.csv").write_text("held")
    done = run(["sh", TEMPLATES / "curl" / "download.sh"], tmp_path, with_key(guarded, "pss_wrong"))
    assert done.returncode == 1
    assert "keys create" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["meters.csv"]
    assert (tmp_path / "meters.csv").read_text() == "held"


@pytest.mark.r
def test_r_reads_days_and_half_hours(guarded: Running, key: str, tmp_path: Path) -> None:
    r = program("Rscript")
    more = 'write.csv(days, "days.csv", row.names = FALSE); cat(class(half_hours$time_utc))\n'
    (tmp_path / "usage.R").write_text((TEMPLATES / "r" / "usage.R").read_text("utf-8") + more)
    done = run([r, "--vanilla", "usage.R"], tmp_path, with_key(guarded, key))
    assert done.returncode == 0, done.stderr
    assert "POSIXct" in done.stdout
    read = list(csv.reader((tmp_path / "days.csv").read_text().splitlines()))
    held = guarded.get(f"/usage.csv?period=last-month&aggregate=day&key={key}").text.splitlines()
    assert [row[:2] for row in read] == [line.split(",")[:2] for line in held]


@pytest.mark.r
def test_r_needs_no_key_at_home(homes: Running, tmp_path: Path) -> None:
    r = program("Rscript")
    (tmp_path / "usage.R").write_text(here((TEMPLATES / "r" / "usage.R").read_text("utf-8"), homes))
    done = run([r, "--vanilla", "usage.R"], tmp_path, dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert A_ELECTRICITY in done.stdout
