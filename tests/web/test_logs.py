"""Log lines: a request's is JSON and nothing else, and none holds a secret."""

import json
import logging
import sys

import pytest
from service import Running, eventually

from app.web.logs import AccessLog, HidingFormatter, without_key

TOKEN = "canary" * 6
KEY = "pss_" + "k" * 36


def formatted(name: str, message: str, *, with_traceback: bool = False) -> str:
    error = None
    if with_traceback:
        try:
            raise ValueError(f"Authorization: Token {TOKEN}")
        except ValueError:
            error = sys.exc_info()
    record = logging.LogRecord(name, logging.WARNING, __file__, 1, message, None, error)
    return HidingFormatter(TOKEN).format(record)


def test_a_line_of_the_access_log_is_json(homes: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger=AccessLog.__module__):
        answer = homes.get("/meters.csv?nocache=1", headers={"Accept-Encoding": "identity"})
        request_id = answer.headers["x-request-id"]
        eventually(lambda: any(request_id in record.getMessage() for record in caplog.records))
    (line,) = [record for record in caplog.records if request_id in record.getMessage()]
    said = json.loads(HidingFormatter(TOKEN).format(line))
    assert (said["method"], said["path"], said["query"], said["status"]) == ("GET", "/meters.csv", "nocache=1", 200)
    assert said["bytes"] == len(answer.content)


def test_no_line_holds_the_token_or_a_key_also_not_in_a_traceback() -> None:
    text = formatted("somebody", f"GET /usage.csv?key={KEY}&x=1 {KEY} {TOKEN}", with_traceback=True)
    assert "Traceback" in text
    assert TOKEN not in text
    assert KEY not in text
    assert "x=1" in text


def test_a_key_in_an_address_is_hidden_however_it_is_written() -> None:
    assert without_key("a=1&key=pss_x&key=&ke%79=y") == "a=1&key=hidden&key=hidden&key=hidden"
