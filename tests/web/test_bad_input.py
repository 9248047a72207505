"""Bad input: a clear error that names the parameter and says what to do; never a 500, and nothing fetched or kept."""

import csv
import io
from urllib.parse import quote

import pytest
from service import Running

A_BAD_VALUE_AND_THE_REMEDY = {
    "meter": [
        ("nobody", "The table meters lists"),
        ("gass", "Did you mean meter=gas?"),
        ("5f1c9a52-3c1e-4d0b-9a77-0d2f6b1e8a41/water", "The table meters lists"),
        ("", "a value, or leave it out"),
        ("../../etc/passwd", "The table meters lists"),
        ("gas\x00", "gas"),
    ],
    "period": [
        ("last-0-days", "Use one of today"),
        ("last-10000-days", "N in last-N-days is 1 to 9999"),
        ("2021-W54", "Use one of"),
        ("2021-02-30", "Use one of"),
        ("2021-Q5", "Use one of"),
        ("2021-13", "Use one of"),
        ("1066", "Use one of"),
        ("yesteryear", "Use one of"),
        ("last-٣-days", "Use one of"),
        ("", "a value, or leave it out"),
    ],
    "start": [
        ("2021-02-29", "Write it as YYYY-MM-DD"),
        ("01/02/2021", "Write it as YYYY-MM-DD"),
        ("2021-1-1", "Write it as YYYY-MM-DD"),
        ("0001-01-01", "from 1900 to 2199"),
        ("today", "for example start=2021-06-30"),
        ("", "a value, or leave it out"),
    ],
    "end": [
        ("9999-12-31", "from 1900 to 2199"),
        ("2021-06-31", "Write it as YYYY-MM-DD"),
        ("２０２１-01-01", "Write it as YYYY-MM-DD"),
        ("2021-06-30T00:00", "for example end=2021-06-30"),
        ("", "a value, or leave it out"),
    ],
    "aggregate": [
        ("dayly", "Did you mean aggregate=day?"),
        ("Day", "For example aggregate=none."),
        ("half-hour", "For example"),
        ("1", "For example"),
        ("", "a value, or leave it out"),
    ],
    "tz": [
        ("europe/london", "Did you mean tz=Europe/London?"),
        ("London", "Use an IANA name"),
        ("../../../etc/localtime", "Use an IANA name"),
        ("+01:00", "Use an IANA name"),
        ("", "a value, or leave it out"),
    ],
    "layout": [
        ("wider", "Did you mean layout=wide?"),
        ("table", "For example layout=long."),
        ("LONG", "For example layout=long."),
        ("pivot", "For example"),
        ("", "a value, or leave it out"),
    ],
    "value": [
        ("energy", "For example value=energy_kwh."),
        ("energy_kw", "Did you mean value=energy_kwh?"),
        ("coverage_pct", "For example"),
        ("kwh", "For example"),
        ("", "a value, or leave it out"),
    ],
    "columns": [
        ("time,energy", "The columns are time, energy_kwh"),
        ("time,time", "Name each column once"),
        ("time,,meter", "Write it like"),
        ("Time", "The columns are"),
        ("", "a value, or leave it out"),
    ],
    "days": [
        ("workday", "Write days=weekday"),
        ("Mon", "days=mon,tue"),
        ("mon,mon", "Name each day once"),
        ("", "a value, or leave it out"),
    ],
    "first": [("0", "first=10"), ("-3", "first=10"), ("1.5", "first=10"), ("all", "from 1 to"), ("", "a value")],
    "last": [("0", "last=10"), ("９", "last=10"), ("1000000000", "from 1 to 999999999"), ("", "a value")],
    "bom": [("0", "bom=1"), ("yes", "bom=1"), ("true", "bom=1"), ("2", "bom=1"), ("", "a value")],
    "errors": [
        ("cells", "Did you mean errors=cell?"),
        ("1", "errors=cell"),
        ("row", "errors=cell"),
        ("on", "errors=cell"),
        ("", "a value"),
    ],
}
CASES = [(name, bad, remedy) for name, cases in A_BAD_VALUE_AND_THE_REMEDY.items() for bad, remedy in cases]


@pytest.mark.parametrize(("name", "bad", "remedy"), CASES)
def test_a_bad_value_is_refused_by_name_and_with_a_remedy(homes: Running, name: str, bad: str, remedy: str) -> None:
    homes.text("/meters.csv")
    before = list(homes.calls)
    answer = homes.get(f"/usage.csv?{name}={quote(bad)}")
    assert answer.status_code == (404 if name == "meter" and bad else 400)
    header, row = csv.reader(io.StringIO(answer.text))
    assert header == ["error", "remedy"]
    assert name in row[0]
    assert remedy in row[1]
    assert homes.calls == before


@pytest.mark.parametrize(
    ("asked", "named", "remedy"),
    [
        ("period=2021&period=2022", "period", "once"),
        ("aggregate=day&aggregate=day", "aggregate", "once"),
        ("tz=UTC&tz=UTC", "tz", "once"),
        ("columns=time&columns=meter", "columns", "once"),
        ("period=2021&start=2021-01-01", "period", "Leave out"),
        ("period=2021&end=2021-01-01", "period", "Leave out"),
        ("start=2021-06-02&end=2021-06-01", "start", "Exchange"),
        ("layout=grid&aggregate=day", "layout=grid", "Leave out aggregate"),
        ("layout=grid&columns=time", "columns", "The columns are date, meter, 00:00"),
        (
            "layout=wide&columns=energy_kwh",
            "columns",
            "The columns are time, time_utc, electricity-5f1c9a52_energy_kwh",
        ),
        ("agregate=day", "name", "Did you mean aggregate=?"),
        ("meters=gas", "name", "Did you mean meter=?"),
        ("timezon=UTC&peroid=2021", "name", "Did you mean period=?"),
        ("columms=time", "name", "Did you mean columns=?"),
        ("first=3&last=3", "first and last", "Leave out first or last"),
        ("first=3&first=3", "first", "once"),
        ("days=weekday", "days", "Use aggregate=profile"),
        ("days=weekday&aggregate=week", "days", "or leave out days"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(homes: Running, asked: str, named: str, remedy: str) -> None:
    answer = homes.get(f"/usage.json?{asked}")
    assert answer.status_code == 400
    assert named in answer.json()["detail"]
    assert remedy in answer.json()["remedy"]


@pytest.mark.parametrize("asked", ["nocache=7", "x=1", "q", "utm_source=a&utm_source=b", "=", "&&", "%zz=%ff", "tab=1"])
def test_an_unknown_parameter_is_ignored(homes: Running, asked: str) -> None:
    plain = homes.text("/usage.csv?period=2021-06-01")
    assert homes.text(f"/usage.csv?period=2021-06-01&{asked}") == plain


def test_nothing_is_fetched_or_kept_for_bad_input(fresh: Running) -> None:
    for name, bad, _ in CASES:
        fresh.get(f"/usage.csv?{name}={quote(bad)}")
    assert set(fresh.calls) == {"/meters/api/v1/meters/"}


def test_what_was_asked_for_is_not_echoed(homes: Running) -> None:
    for name in A_BAD_VALUE_AND_THE_REMEDY:
        for extension in ("csv", "json", "html", "xlsx", "pdf"):
            assert "s3cret" not in homes.get(f"/usage.{extension}?{name}=s3cret-value&s3cret=1").text
    assert "s3cret" not in homes.get("/s3cret.s3cret").text


def test_a_place_of_the_meters_table_has_its_parameters_checked_too(homes: Running) -> None:
    assert homes.get("/meters.csv?tz=Nowhere").status_code == 400
    assert homes.get("/meters.csv?columns=nothing").status_code == 400
    assert homes.get("/meters.csv?meter=nobody").status_code == 404
    assert homes.get("/meters.csv?colums=meter").status_code == 400
    assert homes.rows("/meters.csv?aggregate=nonsense") == homes.rows("/meters.csv"), "it is not a parameter of meters"
