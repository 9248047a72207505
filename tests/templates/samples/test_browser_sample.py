"""Pages of another site in a real browser read the service with a key and not without; and Code.gs's own dialog."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from service import Running
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from templates.templates import TEMPLATES

from app.cli.servers import served

pytestmark = pytest.mark.chromium

ADDRESS = 'https://a.example/?"<b>'
SAMPLE = (TEMPLATES / "javascript" / "browser.html").read_text("utf-8")
GOOGLES = """google = { script: { run: {
    withSuccessHandler(act) { this.well = act; return this; },
    withFailureHandler(act) { this.ill = act; return this; },
    saveSettings(given) { window.given = given; this.well("Saved."); },
} } }"""
"""What Google gives a dialog: a way to call the script behind it."""


@pytest.fixture
def elsewhere(browser: Browser) -> Iterator[Page]:
    """The sample as a page of another origin."""

    async def sample(_: object) -> HTMLResponse:
        return HTMLResponse(SAMPLE)

    with served(Starlette(routes=[Route("/", sample)])) as origin:
        page = browser.new_page()
        page.goto(origin)
        yield page
        page.close()


def loaded(page: Page, address: str, key: str) -> None:
    page.fill("#address", address)
    page.fill("#key", key)
    page.click("button")
    page.wait_for_function("document.querySelector('#days tr') || document.querySelector('#error').textContent")


def test_a_page_of_another_origin_reads_with_a_key(elsewhere: Page, guarded: Running, key: str) -> None:
    loaded(elsewhere, guarded.address, key)
    rows = elsewhere.locator("#days tr")
    shown = [rows.nth(i).locator("td").all_inner_texts() for i in range(rows.count())]
    asked = f"/usage.csv?aggregate=day&columns=time,meter,energy_kwh&key={key}"
    assert shown == guarded.rows(asked)[1:]
    assert len(shown) > 20


def test_without_a_right_key_it_reads_nothing(elsewhere: Page, guarded: Running) -> None:
    loaded(elsewhere, guarded.address, "pss_wrong")
    assert "refused the key" in elsewhere.inner_text("#error")
    assert elsewhere.locator("#days tr").count() == 0


def test_at_home_where_no_key_is_needed_another_origin_still_needs_one(elsewhere: Page, homes: Running) -> None:
    """A page that somebody opens must not read the service of the machine that it is opened on."""
    read = "(url) => fetch(url).then((answer) => answer.json().then(() => 'read'), () => 'refused')"
    assert elsewhere.evaluate(read, f"{homes.address}/usage.json") == "refused"
    assert homes.get("/usage.json").status_code == 200


def test_the_dialog_of_the_google_script_hands_over_what_was_typed(browser: Browser) -> None:
    code = (TEMPLATES / "google" / "Code.gs").read_text("utf-8")
    page = browser.new_page()
    kept = {
        "address": ADDRESS,
        "key": "pss_secret",
        "meter": "gas",
        "periods": "",
        "period": "all",
        "aggregate": "week",
    }
    page.add_script_tag(content=f"{code}; {GOOGLES}; document.write(dialog_({json.dumps(kept)}))")
    assert "pss_secret" not in re.sub(r"<script>.*", "", page.content(), flags=re.DOTALL)
    assert page.locator("[name=key]").get_attribute("value") is None
    assert page.input_value("[name=address]") == ADDRESS
    page.fill("[name=address]", "https://sheets.example.org")
    page.fill("[name=key]", "pss_new")
    page.click("button")
    assert page.inner_text("#said") == "Saved."
    assert page.evaluate("window.given") == {
        "address": "https://sheets.example.org",
        "key": "pss_new",
        "meter": "gas",
        "periods": "",
        "period": "all",
        "aggregate": "week",
    }
    page.close()
