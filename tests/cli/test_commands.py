"""The commands, against the demonstration upstream over HTTP."""

import re
import sqlite3
from pathlib import Path

import pytest
from service import HOME_A, failing_when
from shell import Shell, environment

from app.archive.versions import APPLICATION_ID
from app.cli.servers import served
from app.demo import DEMO_TOKEN, DemoUpstream


def test_export_writes_the_same_bytes_as_the_link(shell: Shell) -> None:
    text = shell.out("export", "usage", "--meter", "gas", "--period=2021-06", "--aggregate", "month")
    assert text.splitlines()[1] == "2021-06-01,208.1148,,0,gas,2021-05-31 23:00:00,100"
    shell.out("export", "usage", "--period", "2021-06", "--format", "xlsx", "-o", "june.xlsx")
    assert (shell.folder / "june.xlsx").read_bytes().startswith(b"PK")
    assert shell.out("export", "meters", "--columns", "meter").split() == [
        "meter",
        "electricity-5f1c9a52",
        "electricity-b27d04e6",
        "gas",
    ]


def test_what_can_not_be_exported_says_why(shell: Shell) -> None:
    assert "no such table" in shell.fails("export", "bills")
    assert "formats are csv" in shell.fails("export", "usage", "--format", "ods")
    assert "Did you mean --aggregate?" in shell.fails("export", "usage", "--agregate", "day")
    assert "--help lists the options" in shell.fails("export", "usage", "stray")
    assert "period is empty" in shell.fails("export", "usage", "--period")
    assert "can't be written" in shell.fails("export", "meters", "-o", "no/such/folder.csv")


def test_a_link_comes_in_four_forms(shell: Shell) -> None:
    text = shell.out("link", "usage", "--meter", "gas", "--period", "last-month", "--aggregate", "day")
    url = "http://127.0.0.1:8000/usage.csv?meter=gas&period=last-month&aggregate=day"
    assert f"URL:\n{url}\n" in text
    assert f'Google Sheets, once the service has an address on the internet:\n=IMPORTDATA("{url}")' in text
    assert f'curl -o usage.csv "{url}"' in text
    assert 'Web.Contents("http://127.0.0.1:8000", [RelativePath = "usage.csv", Query = [meter = "gas", ' in text
    assert "time = type date," in text
    assert shell.upstream.calls == [], "a link is made without a network"


def test_power_query_knows_the_columns_of_compare_and_gaps(shell: Shell) -> None:
    compared = ["link", "compare", "--meter", "gas", "--period", "2021-01", "--period", "2021-07"]
    text = shell.out(*compared)
    assert 'Query = [meter = "gas", period = {"2021-01", "2021-07"}]' in text
    assert "time = type time]" in text
    assert "time = type number]" in shell.out(*compared, "--aggregate", "day")
    assert "end_utc = type datetime]" in shell.out("link", "gaps")


@pytest.mark.parametrize("asked", [["usage"], ["meters"], ["compare", "--period=2021-01", "--period=2021-07"]])
def test_power_query_takes_no_error_for_rows_and_no_mark(shell: Shell, asked: list[str]) -> None:
    text = shell.out("link", *asked, "--errors", "cell", "--bom", "1")
    query = text.partition("Power Query:\n")[2].partition("\n\n")[0]
    assert query == shell.out("link", *asked).partition("Power Query:\n")[2].partition("\n\n")[0]
    assert text.count("errors=cell&bom=1") == 3, "the address, the formula and curl have what was asked for"


def test_the_name_of_a_host_may_look_like_a_format(shell: Shell) -> None:
    shell.env["POWERSHAPER_PUBLIC_URL"] = "https://a.xlsx.example.org"
    assert 'IMPORTDATA("https://a.xlsx.example.org/meters.csv?key=' in shell.out("link", "meters", "--format", "xlsx")


def test_a_link_has_a_key_where_one_is_needed(shell: Shell) -> None:
    assert "key=" not in shell.out("link", "meters")
    assert "meters.csv?key=pss_1" in shell.out("link", "meters", "--key", "pss_1")
    shell.env["POWERSHAPER_PUBLIC_URL"] = "https://sheets.example.org/, http://pi.local:8000"
    text = shell.out("link", "usage", "--meter", "a", "--meter", "b", "--format", "xlsx")
    assert "https://sheets.example.org/usage.xlsx?meter=a&meter=b&key=YOUR-KEY\n" in text
    assert 'Query = [meter = {"a", "b"}, key = "YOUR-KEY"]' in text
    assert 'Google Sheets:\n=IMPORTDATA("https://sheets.example.org/usage.csv?' in text


def test_sync_fills_the_archive_and_goes_on_where_it_was(shell: Shell) -> None:
    first = shell.run("sync", "--meter", "gas", "--since", "2022-11-01")
    assert first.exit_code == 0
    assert "36 days fetched in 1 call; 1,706 half-hours are held" in first.stderr
    shell.run("sync", "--meter", "gas")
    assert [call.split("?")[1] for call in shell.upstream.calls if "?" in call] == [
        "start=2022-11-01&end=2022-12-06&aggregate=none&tz=UTC",
        "start=2020-04-01&end=2021-04-01&aggregate=none&tz=UTC",
        "start=2021-04-02&end=2022-04-02&aggregate=none&tz=UTC",
        "start=2022-04-03&end=2022-10-31&aggregate=none&tz=UTC",
    ]
    before = len(shell.upstream.calls)
    assert "0 days fetched" in shell.run("sync", "--meter", "gas").stderr
    assert len(shell.upstream.calls) == before


def test_a_sync_that_is_cut_off_keeps_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    upstream = DemoUpstream(moved=False)
    broken = {"on": True}

    def later(asked: dict[str, list[str]]) -> bool:
        return broken["on"] and asked.get("start", [""])[0] >= "2021-04-02"

    with served(failing_when(later, 404, upstream.app)) as base_url:
        shell = Shell(tmp_path, upstream, environment(tmp_path, base_url))
        assert "status 404" in shell.run("sync", "--meter", "gas").stderr
        kept = shell.out("export", "usage", "--meter", "gas", "--period", "2020", "--aggregate", "year")
        assert kept.splitlines()[1].startswith("2020-01-01,")
        broken["on"] = False
        assert "in 2 calls" in shell.run("sync", "--meter", "gas").stderr


def test_a_wrong_day_to_sync_from_is_refused(shell: Shell) -> None:
    assert "since is not a day" in shell.fails("sync", "--since", "yesterday")


def test_meters_are_listed_and_renamed(shell: Shell) -> None:
    assert re.search(rf"gas\s.*gas\s.*{HOME_A}\s.*active", shell.out("meters"))
    shell.out("meters", "rename", "electricity-5f1c9a52", "home")
    assert shell.out("export", "meters", "--columns", "meter").split() == [
        "meter",
        "electricity-b27d04e6",
        "gas",
        "home",
    ]
    assert "No meter has that name" in shell.fails("meters", "rename", "nobody", "x")
    assert "Another meter has that name" in shell.fails("meters", "rename", "home", "gas")
    assert "1 to 40 of the characters" in shell.fails("meters", "rename", "home", "Our House")


def test_doctor_finds_all_well(shell: Shell) -> None:
    result = shell.run("doctor")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.count("✓") == 5
    assert "lists 3 meters" in result.stderr
    assert "A label is the start of its half-hour" in result.stderr


def test_doctor_finds_what_is_damaged(shell: Shell) -> None:
    shell.out("export", "usage", "--meter", "gas", "--period", "2021-06")
    db = sqlite3.connect(shell.folder / "archive.db")
    db.execute("UPDATE days SET energy_kwh = '[' WHERE day = '2021-06-03'")
    db.commit()
    db.close()
    result = shell.run("doctor")
    assert result.exit_code == 1
    assert "day 2021-06-03 of meter" in result.stderr
    assert "moves the damaged file aside" in result.stderr


def test_a_backup_is_made_and_never_over_another_file(shell: Shell) -> None:
    shell.out("export", "usage", "--meter", "gas", "--period", "2021-06")
    assert shell.out("backup", "copy.db") == ""
    assert "copy.db exists already" in shell.fails("backup", "copy.db")
    db = sqlite3.connect(shell.folder / "copy.db")
    assert db.execute("SELECT count(*) > 29 FROM days").fetchone() == (1,)
    db.close()


def test_doctor_says_what_is_wrong_and_what_to_do(shell: Shell) -> None:
    shell.env["POWERSHAPER_TOKEN"] = "x" * 40
    refused = shell.run("doctor")
    assert refused.exit_code == 1
    assert "refused the token" in refused.stderr
    assert "check POWERSHAPER_TOKEN" in refused.stderr


def test_doctor_finds_a_public_address_that_gives_data_to_anybody(shell: Shell) -> None:
    with served(failing_when(lambda _: True, 200, shell.upstream.app)) as public_url:
        shell.env["POWERSHAPER_PUBLIC_URL"] = f"{public_url},http://127.0.0.1:9"
        result = shell.run("doctor")
        assert result.exit_code == 1
        assert f"{public_url} gives data to anybody" in result.stderr
        assert "http://127.0.0.1:9 does not answer from here" in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("POWERSHAPER_TOKEN", "short", "20 to 128 letters and digits"),
        ("POWERSHAPER_BASE_URL", "http://app.powershaper.io", "must begin with https://"),
        ("POWERSHAPER_BASE_URL", "app.powershaper.io", "an address like https://"),
        ("POWERSHAPER_ARCHIVE_URL", "mysql://x", "must look like sqlite:////"),
        ("POWERSHAPER_PUBLIC_URL", "sheets.example.org", "an address like https://"),
        ("POWERSHAPER_TZ", "London", "Use an IANA name"),
        ("POWERSHAPER_WAIT_SECONDS", "0", "greater than 0"),
        ("POWERSHAPER_CALL_DAYS", "many", "valid integer"),
        ("POWERSHAPER_TRUSTED_PROXIES", "caddy", "networks such as 10.0.0.0/24"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name_and_a_remedy(
    shell: Shell, name: str, value: str, said: str
) -> None:
    shell.env[name] = value
    text = shell.fails("serve")
    assert name in text
    assert said in text
    assert name != "POWERSHAPER_TOKEN" or value not in text, "a wrong token is not printed"


def test_no_token_says_where_to_put_one(shell: Shell) -> None:
    shell.env["POWERSHAPER_TOKEN"] = ""
    assert "Set POWERSHAPER_TOKEN" in shell.fails("serve")
    (shell.folder / "token").write_text("not a token at all\n")
    shell.env["POWERSHAPER_TOKEN_FILE"] = "token"
    assert "holds no token" in shell.fails("serve")
    shell.env["POWERSHAPER_TOKEN_FILE"] = "nowhere"
    assert "can't be read" in shell.fails("serve")


def test_a_token_can_stand_in_a_file_and_settings_in_a_dot_env(shell: Shell) -> None:
    (shell.folder / "token").write_text(DEMO_TOKEN + "\n")
    shell.env["POWERSHAPER_TOKEN"] = ""
    (shell.folder / ".env").write_text("POWERSHAPER_TOKEN_FILE=token\nPOWERSHAPER_TZ=UTC\n")
    text = shell.out("export", "usage", "--meter", "gas", "--period", "2021-06-01")
    assert text.splitlines()[1].split(",")[0] == "2021-06-01 00:00:00"
    assert text.splitlines()[1].split(",")[5] == "2021-06-01 00:00:00"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_serve_listens_nowhere_but_on_loopback_while_there_is_no_key(shell: Shell, host: str) -> None:
    assert "powershaper-sheets keys create --name sheets" in shell.fails("serve", "--host", host)


def test_serve_refuses_a_public_address_while_there_is_no_key(shell: Shell) -> None:
    shell.env["POWERSHAPER_PUBLIC_URL"] = "https://sheets.example.org"
    assert "powershaper-sheets keys create --name sheets" in shell.fails("serve")


def test_a_port_in_use_says_so(shell: Shell) -> None:
    with served(shell.upstream.app) as address:
        port = address.rpartition(":")[2]
        assert f"choose another: --port {int(port) + 1}" in shell.fails("serve", "--port", port)


def test_an_archive_of_a_newer_version_is_left_alone(shell: Shell) -> None:
    path = shell.folder / "archive.db"
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    assert "made by a newer powershaper-sheets" in shell.fails("serve", "--port", "0")
    assert path.read_bytes() == before


def test_the_workbook_is_exported_and_linked_as_xlsx_alone(shell: Shell) -> None:
    shell.out("export", "workbook", "--format", "xlsx", "--period", "2021-06", "-o", "report.xlsx")
    assert (shell.folder / "report.xlsx").read_bytes().startswith(b"PK")
    linked = shell.out("link", "workbook", "--format", "xlsx", "--period", "2021-06")
    assert "/workbook.xlsx?period=2021-06" in linked
    assert "IMPORTDATA" not in linked
    assert "--format xlsx" in shell.fails("link", "workbook", "--period", "2021-06")
