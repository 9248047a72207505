"""The rows that the contract works out by hand, on home B where it was measured, in London's time."""

from service import B_ELECTRICITY, HOME_B, Running

COLUMNS = "columns=time,energy_kwh,error_count,time_utc,coverage_pct"


def test_the_hour_that_comes_twice_in_october_is_two_hours(homes: Running) -> None:
    asked = f"/usage.csv?meter={HOME_B}&period=2013-10-27&{COLUMNS}"
    lines = homes.text(asked).splitlines()
    assert lines[0] == "time,energy_kwh,error_count,time_utc,coverage_pct"
    assert lines[3:7] == [
        "2013-10-27 01:00:00,1.391,0,2013-10-27 00:00:00,100",
        "2013-10-27 01:30:00,1.404,0,2013-10-27 00:30:00,100",
        "2013-10-27 01:00:00,1.135,0,2013-10-27 01:00:00,100",
        "2013-10-27 01:30:00,0.038,0,2013-10-27 01:30:00,100",
    ]
    assert len(lines) == 1 + 50


def day_and_grid(homes: Running, day: str) -> tuple[str, dict[str, str]]:
    summed = homes.text(f"/usage.csv?meter={HOME_B}&period={day}&aggregate=day&columns=time,energy_kwh,error_count")
    header, cells = homes.rows(f"/usage.csv?meter={HOME_B}&period={day}&layout=grid")
    return summed.splitlines()[1], dict(zip(header, cells, strict=True))


def test_the_long_day_in_october(homes: Running) -> None:
    summed, grid = day_and_grid(homes, "2013-10-27")
    assert summed == "2013-10-27,12.974,0"
    assert (grid["01:00"], grid["01:30"]) == ("2.526", "1.442")


def test_the_short_day_in_march(homes: Running) -> None:
    summed, grid = day_and_grid(homes, "2013-03-31")
    assert summed.startswith("2013-03-31,41.811,")
    assert (grid["01:00"], grid["01:30"]) == ("", "")
    assert grid["00:30"] != "" != grid["02:00"]
    assert len(homes.rows(f"/usage.csv?meter={HOME_B}&period=2013-03-31")) == 1 + 46


def test_a_half_hour_that_is_missing_is_blank_and_counted(homes: Running) -> None:
    lines = homes.text(f"/usage.csv?meter={HOME_B}&period=2013-03-26&{COLUMNS}").splitlines()
    assert "2013-03-26 21:30:00,,1,2013-03-26 21:30:00,0" in lines
    day = homes.text(f"/usage.csv?meter={HOME_B}&period=2013-03-26&aggregate=day&{COLUMNS}").splitlines()
    assert day[1] == "2013-03-26,50.759,1,2013-03-26 00:00:00,97.9"


def test_the_columns_of_usage_stand_in_the_contracts_order(homes: Running) -> None:
    header = homes.rows("/usage.csv?period=2013-10-27")[0]
    assert header == ["time", "energy_kwh", "carbon_kg", "error_count", "meter", "time_utc", "coverage_pct"]


def test_two_electricity_meters_both_get_the_long_name_and_gas_the_short_one(homes: Running) -> None:
    names = [row[0] for row in homes.rows("/meters.csv?columns=meter")]
    assert names == ["meter", "electricity-5f1c9a52", B_ELECTRICITY, "gas"]
