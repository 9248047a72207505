"""HTML that a browser and a spreadsheet's import read, and JSON that a program does."""

import json

import pytest
from formats.filled_tables import filled_tables
from formats.readers import read_html
from hypothesis import given
from hypothesis import strategies as st

from app.formats import FORMATS, About
from app.tables import Labels, Table

MARKUP = "<script>alert(1)</script>&amp;\"'</td></table>"


def html_of(table: Table, about: About | None = None) -> str:
    return FORMATS["html"].write(table, about or About(table.name)).decode()


def json_of(table: Table) -> bytes:
    return FORMATS["json"].write(table, About(table.name))


def texts_table(*texts: str) -> Table:
    return Table("usage", (Labels.of("text", list(texts)),), len(texts))


@pytest.mark.parametrize("name", ["usage", "meters"])
def test_the_page_has_one_table_with_the_tables_name_as_its_id(name: str) -> None:
    table = Table(name, (Labels.of("text", ["x"]),), 1)
    assert read_html(html_of(table).encode(), name) == (["text"], [["x"]])


def test_markup_in_cells_facts_and_links_stays_text() -> None:
    about = About(MARKUP, facts=((MARKUP, MARKUP),), links=((MARKUP, "/usage.csv?meter=%22&period=2021"),))
    page = html_of(texts_table(MARKUP), about)
    assert "<script" not in page
    assert read_html(page.encode())[1] == [[MARKUP]]
    assert 'href="/usage.csv?meter=%22&amp;period=2021"' in page


def test_the_page_shows_its_facts_and_the_same_tables_other_formats() -> None:
    about = About(
        "usage", facts=(("time zone", "Europe/London"),), links=(("csv", "/usage.csv"), ("xlsx", "/usage.xlsx"))
    )
    page = html_of(texts_table("x"), about)
    assert page.startswith("<!doctype html>")
    assert "<title>usage</title>" in page
    for shown in ("time zone", "Europe/London", 'href="/usage.csv"', 'href="/usage.xlsx"'):
        assert shown in page


def test_the_page_fetches_nothing() -> None:
    page = html_of(texts_table("x"))
    assert "src=" not in page
    assert "http" not in page
    assert "<link" not in page


@given(st.text(max_size=20))
def test_no_control_character_reaches_the_page(text: str) -> None:
    page = html_of(texts_table(text), About("usage", facts=(("fact", text),)))
    forbidden = {*map(chr, range(32)), "\x7f"} - {"\t", "\n", "\r"}
    assert not forbidden & set(page)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_neither_json_nor_html_guards_a_text_against_formulas(text: str) -> None:
    assert json.loads(json_of(texts_table(text))) == [{"text": text}]
    assert read_html(html_of(texts_table(text)).encode())[1] == [[text]]


@given(filled_tables())
def test_json_is_one_array_of_flat_objects_in_the_columns_order(filled: tuple[Table, object]) -> None:
    table, _ = filled
    rows = json.loads(json_of(table).decode("utf-8"))
    assert isinstance(rows, list)
    assert len(rows) == table.rows
    for row in rows:
        assert list(row) == list(table.header)
        assert all(cell is None or isinstance(cell, str | int | float | bool) for cell in row.values())


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_json(text: str) -> None:
    assert json.loads(json_of(texts_table(text))) == [{"text": text}]


@given(st.text(max_size=20))
def test_no_text_breaks_any_format(text: str) -> None:
    for form in FORMATS.values():
        assert form.write(texts_table(text), About("usage", facts=(("fact", text),)))
