"""CSV byte by byte: line ends, quotes, the guard against formulas, numbers as they are printed."""

import re
from decimal import Decimal

import pytest
from formats.filled_tables import GUARDED, filled_tables, numbers, texts
from hypothesis import given
from hypothesis import strategies as st

from app.formats import FORMATS, About
from app.tables import Labels, Table

BOM = b"\xef\xbb\xbf"


def csv_of(table: Table, *, bom: bool = False) -> bytes:
    return FORMATS["csv"].write(table, About("usage", bom=bom))


def one_cell(text: str | bool | int | None) -> bytes:  # noqa: FBT001 - a cell
    """The bytes of a cell between two others."""
    columns = [Labels.of("a", ["["]), Labels.of("b", [text]), Labels.of("c", ["]"])]
    line = csv_of(Table("usage", tuple(columns), 1)).removeprefix(b"a,b,c\r\n[,")
    assert line.endswith(b",]\r\n")
    return line.removesuffix(b",]\r\n")


def number(text: str, decimals: int = 6) -> str:
    table = Table("usage", (numbers("energy_kwh", [Decimal(text)], decimals),), 1)
    return csv_of(table).decode().split("\r\n")[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("with space ", "with space "),
        ("a,b", '"a,b"'),
        ('say "hi"', '"say ""hi"""'),
        ("two\nlines", '"two\nlines"'),
        ("two\r\nlines", '"two\r\nlines"'),
        ("it's", "it's"),
        ("£ 3 é 😀", "£ 3 é 😀"),
        ("a=b", "a=b"),
        (" =1", " =1"),
        ("=1+1", "'=1+1"),
        ("+44", "'+44"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", '"\'\rx"'),
        ('=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"'),
        ("", ""),
        (None, ""),
        (True, "true"),
        (False, "false"),
        (-7, "-7"),
        (2**53, "9007199254740992"),
    ],
)
def test_a_cell_is_quoted_and_guarded_only_where_it_must_be(text: str | int | bool | None, expected: str) -> None:  # noqa: FBT001
    assert one_cell(text).decode() == expected


@given(texts)
def test_a_spreadsheet_runs_no_text_as_a_formula(text: str) -> None:
    cell = one_cell(text).decode().removeprefix('"')
    assert not cell.startswith(GUARDED)
    assert cell.startswith("'") == text.startswith((*GUARDED, "'"))


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("0", "0"),
        ("0.3", "0.3"),
        ("-0.3", "-0.3"),
        ("0.000001", "0.000001"),
        ("-0.000001", "-0.000001"),
        ("12", "12"),
        ("-12", "-12"),
        ("100", "100"),
        ("1.01", "1.01"),
        ("10.1", "10.1"),
        ("1234567.89", "1234567.89"),
        ("9000000000.000001", "9000000000.000001"),
    ],
)
def test_a_number_is_printed_plainly_and_never_guarded(value: str, printed: str) -> None:
    assert number(value) == printed


@given(st.lists(st.integers(-(10**17), 10**17), min_size=1, max_size=30), st.sampled_from([0, 1, 6]))
def test_numbers_have_no_exponent_no_needless_zero_and_no_apostrophe(scaled: list[int], decimals: int) -> None:
    values = [Decimal(one).scaleb(-decimals) for one in scaled]
    header, *lines = csv_of(Table("usage", (numbers("n", list(values), decimals),), len(values))).decode().splitlines()
    assert header == "n"
    for line, value in zip(lines, values, strict=True):
        assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]{0,5}[1-9])?", line)
        assert line != "-0"
        assert Decimal(line) == value


@given(filled_tables())
def test_lines_end_with_cr_lf_and_no_bom_comes_before_them(filled: tuple[Table, object]) -> None:
    table, _ = filled
    body = csv_of(table)
    assert body.startswith(b"column_0")
    assert body.endswith(b"\r\n")
    unquoted = re.sub(rb'"(?:[^"]|"")*"', b"", body)
    assert unquoted.count(b"\r\n") == unquoted.count(b"\n") == unquoted.count(b"\r") == table.rows + 1
    assert unquoted.count(b",") == (len(table.columns) - 1) * (table.rows + 1)


@given(filled_tables())
def test_a_bom_comes_only_when_asked_for_and_changes_nothing_else(filled: tuple[Table, object]) -> None:
    table, _ = filled
    assert csv_of(table, bom=True) == BOM + csv_of(table)
    for extension in ("json", "html", "xlsx"):
        assert not FORMATS[extension].write(table, About("usage", bom=True)).startswith(BOM)


def test_all_blank_cells_are_nothing_between_commas() -> None:
    columns = (numbers("energy_kwh", [None, None], 6), Labels.of("meter", [None, None]))
    assert csv_of(Table("usage", columns, 2)) == b"energy_kwh,meter\r\n,\r\n,\r\n"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: "'" not in text))
def test_control_characters_stay_in_a_csv(text: str) -> None:
    cell = one_cell(text).decode().replace('""', '"')
    assert text in cell
