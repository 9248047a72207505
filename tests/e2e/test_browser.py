"""The pages in a real browser: they load whole, ask nobody else, and show what the tables hold."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from service import Running

STATUS = "Failed to load resource: the server responded with a status of 4"
"""What Chromium logs of every page that is an error, and of an icon that is not there."""


@pytest.fixture
def page(browser: Browser, homes: Running) -> Iterator[Page]:
    """A page whose errors and requests elsewhere fail the test."""
    page = browser.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda one: wrong.append(one.url) if not one.url.startswith(homes.address) else None)
    yield page
    page.close()
    assert [text for text in wrong if not text.startswith(STATUS)] == []


@pytest.mark.chromium
def test_the_front_page_lists_the_meters_and_its_links_open(page: Page, homes: Running) -> None:
    page.goto(homes.address)
    assert page.title() == "powershaper-sheets"
    shown = page.locator("table").first.locator("tbody tr td:first-child").all_inner_texts()
    assert shown == [row[0] for row in homes.rows("/meters.csv?columns=meter")[1:]]
    page.get_by_role("link", name="html").nth(1).click()
    assert page.locator("table#usage thead th").first.inner_text() == "time"


@pytest.mark.chromium
def test_a_table_shows_the_rows_of_the_csv(page: Page, homes: Running) -> None:
    asked = "meter=gas&period=2021-06&aggregate=day&tz=UTC"
    page.goto(f"{homes.address}/usage.html?{asked}")
    rows = page.locator("table#usage tbody tr")
    shown = [rows.nth(i).locator("td").all_inner_texts() for i in range(rows.count())]
    assert shown == homes.rows(f"/usage.csv?{asked}")[1:]


@pytest.mark.chromium
def test_an_error_says_what_to_do_and_nothing_runs_off_the_page(page: Page, homes: Running) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{homes.address}/usage.html?agregate=day")
    assert "Did you mean aggregate=?" in page.locator("body").inner_text()
    for path in ("/", "/docs", "/status.html", "/usage.html?meter=gas&period=2021-06-01"):
        page.goto(homes.address + path)
        width: int = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{path} is wider than a phone"


@pytest.mark.chromium
def test_on_a_phone_all_links_of_the_front_page_can_be_seen_at_once(page: Page, homes: Running) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(homes.address)
    for link in page.get_by_role("link").all():
        box = link.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390, link.get_attribute("href")
