"""Tables: choosing columns and rows of them."""

import pytest
from formats.filled_tables import Value, filled_tables
from formats.readers import read_csv
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import BadParameter
from app.formats import FORMATS, About
from app.tables import Labels, Table, error_table

Filled = tuple[Table, list[list[Value]]]


def cells(table: Table) -> list[list[str]]:
    return read_csv(FORMATS["csv"].write(table, About("usage")))[1]


@given(filled_tables(), st.data())
def test_columns_are_those_asked_for_in_their_order(filled: Filled, data: st.DataObject) -> None:
    table, _ = filled
    names = data.draw(st.permutations(table.header))[: data.draw(st.integers(1, len(table.header)))]
    chosen = table.select(names)
    assert list(chosen.header) == names
    assert chosen.rows == table.rows
    at = [table.header.index(name) for name in names]
    assert cells(chosen) == [[row[i] for i in at] for row in cells(table)]


def test_no_columns_asked_for_are_all() -> None:
    table = Table("usage", (Labels.of("a", ["x"]), Labels.of("b", ["y"])), 1)
    assert table.select([]).header == ("a", "b")


@pytest.mark.parametrize("name", ["c", "A", " a", ""])
def test_a_column_that_is_not_there_is_refused_and_the_others_are_told(name: str) -> None:
    table = Table("usage", (Labels.of("a", ["x"]), Labels.of("b", ["y"])), 1)
    with pytest.raises(BadParameter, match="columns") as raised:
        table.select(["a", name])
    assert "a, b" in raised.value.remedy


@given(filled_tables(), st.slices(6))
def test_rows_taken_are_those_rows_with_all_their_cells(filled: Filled, at: slice) -> None:
    table, _ = filled
    taken = table.take(at)
    assert cells(taken) == cells(table)[at]
    assert taken.rows == len(cells(table)[at])


def test_an_error_is_a_table_of_one_row_under_the_name_that_was_asked_for() -> None:
    table = error_table("usage", BadParameter("It is wrong, and how.", remedy="Do this."))
    body = FORMATS["csv"].write(table, About("usage"))
    assert body == b'error,remedy\r\n"It is wrong, and how.",Do this.\r\n'
    assert table.name == "usage"
