"""schemathesis against the live service with a key, on its own OpenAPI document."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from service import AFTER_THE_DATA, Running, SetClock, running

from app.query import PARAMETERS, TABLES

OF_ITS_OWN = "positive_data_acceptance"
"""Parameters that don't go together are refused: tests of their own say which."""
CONTRARY_TO_ERRORS_CELL = "ignored_auth,unsupported_method,negative_data_rejection"
"""With errors=cell every error has status 200, these checks' own among them."""


class HastyClock(SetClock):
    """Goes on by ten seconds whenever somebody looks, so that the wrong keys of one check are soon forgotten."""

    def __call__(self) -> float:
        self.now += 10
        return self.now


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that wants a key of everybody."""
    clock = HastyClock(AFTER_THE_DATA.timestamp())
    public = {"public_url": "https://sheets.example.org"}
    with running(tmp_path_factory.mktemp("guarded"), clock=clock, more=public) as service:
        yield service


def hold(service: Running, document: dict[str, Any], folder: Path, without: str) -> None:
    """Fails with what schemathesis finds wrong."""
    (folder / "openapi.json").write_text(json.dumps(document))
    done = subprocess.run(
        [
            *(Path(sys.executable).parent / "schemathesis", "run", "openapi.json", "--url", service.address),
            *("--header", f"Authorization: Bearer {service.make_key()}"),
            *(
                "--exclude-checks",
                without,
                "--max-examples",
                "25",
                "--request-timeout",
                "60",
                "--no-color",
                "--suppress-health-check",
                "all",
            ),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    tried = len(document["paths"])
    assert f"{tried}/{tried}" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_check_holds(guarded: Running, tmp_path: Path) -> None:
    document = guarded.get("/openapi.json").json()
    for path in document["paths"].values():
        path["get"]["parameters"] = [given for given in path["get"]["parameters"] if given["name"] != "errors"]
    hold(guarded, document, tmp_path, OF_ITS_OWN)


def test_errors_in_cells_hold_every_check_that_they_do_not_contradict(guarded: Running, tmp_path: Path) -> None:
    document = guarded.get("/openapi.json").json()
    hold(guarded, document, tmp_path, f"{OF_ITS_OWN},{CONTRARY_TO_ERRORS_CELL}")


def test_the_document_names_every_parameter_and_table(guarded: Running) -> None:
    paths = guarded.get("/openapi.json").json()["paths"]
    of_tables = {f"/{table}.{format_}" for table in TABLES for format_ in ("csv", "xlsx", "json", "html")}
    assert set(paths) == {"/workbook.xlsx", "/connected.xlsx", *of_tables}
    for table in TABLES:
        named = {given["name"] for given in paths[f"/{table}.csv"]["get"]["parameters"]}
        assert named == {name for name, one in PARAMETERS.items() if table in one.tables} - {"key"}
    usage = {given["name"] for given in paths["/usage.csv"]["get"]["parameters"]}
    connected = {given["name"] for given in paths["/connected.xlsx"]["get"]["parameters"]}
    assert connected == usage | {"format", "embed_key", "chart"}


def test_the_examples_of_the_docs_page_run(homes: Running) -> None:
    page = homes.text("/docs")
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"]+)"', page)]
    assert len(links) >= 7
    for link in links:
        assert homes.get(link).status_code == 200, link
    assert "http://" not in page.replace(homes.address, ""), "nothing of a third party"
    assert "https://" not in page


def test_the_document_names_every_header_of_an_answer(homes: Running) -> None:
    described = homes.get("/openapi.json").json()["paths"]["/usage.csv"]["get"]["responses"]["200"]["headers"]
    known = {name.lower() for name in described} | {"date", "content-length", "content-type"}
    for key in ("", f"&key={homes.make_key()}"):
        answer = homes.get(f"/usage.csv?period=2021-06{key}", headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert set(answer.headers) <= known
