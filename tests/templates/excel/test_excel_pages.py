"""The pages for Excel say what is true: their addresses answer, what they link to is there."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from service import Running

from app.query import PARAMETERS

PAGES = Path(__file__).parents[3] / "sheets_templates" / "excel"
NAMES = ["windows.md", "mac.md", "web.md"]


def page(name: str) -> str:
    return (PAGES / name).read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_address_answers_with_a_workbook(homes: Running, name: str) -> None:
    addresses = re.findall(r"^ *(https?://(?:127\.0\.0\.1:8000|sheets\.example\.org)/\S+)$", page(name), re.MULTILINE)
    assert addresses
    key = homes.make_key()
    for address in addresses:
        parts = urlsplit(address)
        answer = homes.get(f"{parts.path}?{parts.query}".replace("YOUR-KEY", key))
        assert answer.status_code == 200, address
        assert answer.content.startswith(b"PK"), address


@pytest.mark.parametrize("name", ["mac.md", "web.md"])
def test_where_no_workbook_refreshes_itself_the_report_is_offered(name: str) -> None:
    assert "/workbook.xlsx?" in page(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_file_that_is_linked_is_there(name: str) -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", page(name)) if "://" not in link]
    assert links
    assert [link for link in links if not (PAGES / link).is_file()] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_page_says_what_one_gets_and_what_was_not_tried(name: str) -> None:
    text = page(name)
    assert text.index("**What you have at the end**") < text.index("1. ")
    assert "## When something is wrong" in text
    assert "## What could not be tried here" in text


def test_every_template_is_told_of() -> None:
    told = "".join(map(page, NAMES))
    templates = [path.name for path in PAGES.iterdir() if path.suffix in {".pq", ".ts"}]
    assert len(templates) == 6
    assert [name for name in templates if f"({name})" not in told] == []


def test_the_parameters_that_pages_speak_of_exist() -> None:
    spoken = {name for text in map(page, NAMES) for name in re.findall(r"[?&`]([a-z_]+)=", text)}
    assert {"chart", "embed_key", "period", "aggregate", "key"} <= spoken
    assert spoken <= set(PARAMETERS)
