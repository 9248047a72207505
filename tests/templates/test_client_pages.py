"""The pages for clients: each begins with what one sees, its links lead somewhere, its addresses answer with rows."""

import re
from pathlib import Path

import pytest
from service import Running
from templates.templates import AT_HOME, ELSEWHERE, ROOT, TEMPLATES, here

CLIENTS = ["curl", "google-sheets", "home-assistant", "javascript", "libreoffice", "python", "r"]
PAGES = [ROOT / "docs" / f"{client}.md" for client in CLIENTS] + [TEMPLATES / "google" / "formulas.md"]
ADDRESS = re.compile(rf"(?:{AT_HOME}|{ELSEWHERE})/[a-z]+\.[a-z]+[^\s`\")|]*")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_page_begins_with_what_one_sees_at_the_end(client: str) -> None:
    title, text, *_ = (ROOT / "docs" / f"{client}.md").read_text("utf-8").split("\n")
    assert title.startswith("# ")
    assert text.startswith("**What you see at the end**")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_of_a_page_lead_to_files_and_headings(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text("utf-8"))
    assert links
    for link in links:
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve()
        assert target.is_file(), link
        headings = [line.lstrip("# ").lower() for line in target.read_text("utf-8").split("\n")] if heading else []
        assert not heading or heading in {re.sub(r"[^a-z -]", "", one).replace(" ", "-") for one in headings}, link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_addresses_of_a_page_answer_with_rows(page: Path, household: tuple[Running, str]) -> None:
    service, key = household
    addresses = ADDRESS.findall(page.read_text("utf-8"))
    for address in addresses:
        headers = {} if "YOUR-KEY" in address else {"Authorization": f"Bearer {key}"}
        answer = service.get(here(address, service, key).removeprefix(service.address), headers=headers)
        assert answer.status_code == 200, f"{address}: {answer.text}"
        assert len(answer.text.splitlines()) > 1 or "/gaps.csv" in address, address
    assert addresses or page.stem in {"home-assistant", "javascript"}


def test_every_template_is_told_of_on_a_page() -> None:
    told = "\n".join(page.read_text("utf-8") for page in PAGES)
    folders = ("google", "libreoffice", "python", "javascript", "curl", "r", "home-assistant")
    files = [file for folder in folders for file in (TEMPLATES / folder).iterdir() if file.is_file()]
    assert len(files) >= 11
    assert [
        file.name
        for file in files
        if file.name[0] != "." and f"({file.name})" not in told and f"/{file.name})" not in told
    ] == []


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [client for client in CLIENTS if f"(docs/{client}.md)" not in readme] == []
