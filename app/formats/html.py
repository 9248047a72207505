"""HTML: the table in a page that reads well in a browser and that a spreadsheet's web import finds by its id."""

import re
from html import escape

from app.formats.about import About
from app.formats.rows import Spelling, number_text, text_of_rows
from app.tables import Cell, Numbers, Table

CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
STYLE = """
:root { color-scheme: light dark; --line: #8883; --soft: #888; --accent: #0a7d55; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
a { color: var(--accent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0 0 1rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
.wrap { white-space: normal; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem; text-align: left; white-space: nowrap; }
thead th { background: Canvas; position: sticky; top: 0; }
.n { text-align: right; }
.wrap a { overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  th, td { padding: .25rem .4rem; }
  .roomy { display: none; }
}
"""


def write(table: Table, about: About) -> bytes:
    """A page with the facts, the same table's other formats, and one `<table id="TABLE">`."""
    head = "".join(f"<th{_kind(column)}>{escape(column.name)}</th>" for column in table.columns)
    opens = [f"<td{_kind(column)}>".encode() for column in table.columns]
    between = [b"<tr>" + opens[0], *(b"</td>" + cell for cell in opens[1:]), b"</td></tr>\n"]
    rows = text_of_rows(table, between, Spelling(blank=b"", quote=b"", cell=_cell))
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{_text(fact)}</dd>" for name, fact in about.facts)
    links = " · ".join(f'<a href="{escape(link)}">{escape(name)}</a>' for name, link in about.links)
    top = (f"<dl>{facts}</dl>" if facts else "") + (f"<p>{links}</p>" if links else "")
    body = f'{top}<div class="scroll"><table id="{escape(table.name)}"><thead><tr>{head}</tr></thead><tbody>\n'
    before, after = page(about.title, body + "\0</tbody></table></div>").split(b"\0")
    return before + rows + after


def page(title: str, body: str) -> bytes:
    """A whole page; `title` is a text, `body` is HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>\n"
    ).encode()


def _kind(column: object) -> str:
    return ' class="n"' if isinstance(column, Numbers) else ""


def _cell(value: Cell) -> bytes:
    if isinstance(value, bool):
        return b"true" if value else b"false"
    text = value if isinstance(value, str) else number_text(value)
    return _text(text).encode("utf-8", "replace")


def _text(text: str) -> str:
    return escape(CONTROLS.sub("", text))
