"""Every formula of the templates for Google Sheets is fetched as Google does, and fills what it claims."""

import csv
import re

import pytest
from service import Running
from templates.google.formulas import Formula
from templates.templates import ELSEWHERE, TEMPLATES

PAGE = (TEMPLATES / "google" / "formulas.md").read_text("utf-8")
DASHBOARD = list(csv.reader((TEMPLATES / "google" / "dashboard.csv").read_text("utf-8").splitlines()))
CELLS = {f"{chr(65 + c)}{r + 1}": text for r, row in enumerate(DASHBOARD) for c, text in enumerate(row) if text}
CLAIMS = [(formula, fills) for _, formula, fills in re.findall(r"^\| (.+) \| `(=.+)` \| (.+) \|$", PAGE, re.MULTILINE)]


def test_the_page_has_formulas_of_every_table() -> None:
    assert len(CLAIMS) == PAGE.count('`=IMPORTDATA("https://sheets') + PAGE.count("`=LET") + PAGE.count("`=INDEX") > 12
    tables = {re.findall(rf"{ELSEWHERE}/([a-z]+)\.csv", formula)[0] for formula, _ in CLAIMS}
    assert tables == {"usage", "meters", "compare", "gaps", "status"}


@pytest.mark.parametrize(("text", "fills"), CLAIMS)
def test_a_formula_of_the_page_fills_what_it_says(household: tuple[Running, str], text: str, fills: str) -> None:
    formula = Formula.read(text, {})
    if formula.around:
        assert fills == "a number"
        assert float(formula.shown(*household)) > 0
        return
    height, width = fills.split(" × ")
    service, key = household
    rows = formula.fetched(service, key if height.isdigit() else service.make_key())
    assert {len(row) for row in rows} == {int(width)}
    if height.isdigit():
        assert len(rows) == int(height)
    else:
        assert height.startswith("a row a ")
        assert len(rows) > 2


def test_the_dashboard_stands_on_three_cells() -> None:
    assert [CELLS[name] for name in ("B1", "B2", "B3")] == [ELSEWHERE, "YOUR-KEY", "electricity"]
    assert sum(ELSEWHERE in text for text in CELLS.values()) == 1
    assert sum("YOUR-KEY" in text for text in CELLS.values()) == 1


def test_the_dashboards_formulas_fill_cells_that_are_free(household: tuple[Running, str]) -> None:
    filled: dict[str, str] = {}
    formulas = {name: Formula.read(text, CELLS) for name, text in CELLS.items() if text.startswith("=")}
    assert len(formulas) == 9
    for name, formula in formulas.items():
        column, row = ord(name[0]), int(name[1:])
        if formula.around:
            assert float(formula.shown(*household)) > 0
            continue
        rows = formula.fetched(*household)
        assert len(rows) > 2 or rows == [["start", "end", "half_hours"]], "this home has no holes"
        area = {f"{chr(column + c)}{row + r}" for r in range(len(rows)) for c in range(len(rows[0]))}
        assert not (area - {name}) & set(CELLS), f"what {name} fills runs into other cells: Sheets shows #REF!"
        assert not area & set(filled), f"{name} and {filled.get(min(area & set(filled), default=''))} overlap"
        filled |= dict.fromkeys(area, name)


def one_cell_formulas(meter: str) -> list[Formula]:
    """Those of the page and of the dashboard, asking for a meter."""
    of_the_page = [Formula.read(text.replace("meter=electricity", f"meter={meter}"), {}) for text, _ in CLAIMS]
    of_the_dashboard = [Formula.read(text, CELLS | {"B3": meter}) for text in CELLS.values() if text.startswith("=")]
    return [formula for formula in of_the_page + of_the_dashboard if formula.around]


def test_one_cell_says_what_is_wrong_and_never_0(household: tuple[Running, str]) -> None:
    service, key = household
    assert len(one_cell_formulas("electricity")) == 9
    for formula in one_cell_formulas("electricity"):
        assert "access key is wrong" in str(formula.shown(service, "pss_wrong"))
    for formula in one_cell_formulas("steam"):
        assert "names no meter" in str(formula.shown(service, key))


def test_one_cell_is_blank_where_nothing_was_measured(household: tuple[Running, str]) -> None:
    carbon_of_gas = [formula for formula in one_cell_formulas("gas") if "carbon_kg" in formula.address]
    assert [formula.shown(*household) for formula in carbon_of_gas] == ["", ""]


def test_a_wrong_key_shows_in_the_cell_when_errors_are_asked_for(household: tuple[Running, str]) -> None:
    service, _ = household
    formula = Formula.read(CLAIMS[4][0].replace("&key=", "&errors=cell&key="), {})
    (header, error) = formula.fetched(service, "pss_wrong")
    assert header == ["error", "remedy"]
    assert "keys create" in error[1]
