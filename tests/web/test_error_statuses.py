"""Every error of the tree has a status, and upstream's troubles never look like the reader's own."""

from collections.abc import Iterator

import pytest

from app.domain import errors
from app.domain.errors import SheetsError
from app.web.errors import error_answer, status_of

STATUSES = {
    errors.SettingWrong: 500,
    errors.BadParameter: 400,
    errors.TooLarge: 400,
    errors.NotFound: 404,
    errors.TooLong: 414,
    errors.HeadersTooLarge: 431,
    errors.WrongMethod: 405,
    errors.WrongHost: 421,
    errors.KeyRefused: 401,
    errors.TooManyWrongKeys: 429,
    errors.UpstreamUnavailable: 503,
    errors.UpstreamFailing: 503,
    errors.UpstreamSlow: 503,
    errors.QuotaExceeded: 503,
    errors.UpstreamRefused: 502,
    errors.UpstreamUnreadable: 502,
    errors.UpstreamTooLarge: 502,
    errors.ArchiveError: 503,
    errors.ArchiveDamaged: 503,
}


def tree(kind: type[SheetsError]) -> Iterator[type[SheetsError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from tree(below)


def test_every_error_has_the_status_that_the_contract_gives_it() -> None:
    groups = {errors.SheetsError, errors.RequestError, errors.UpstreamError}
    assert set(tree(SheetsError)) == groups | set(STATUSES)
    for kind, status in STATUSES.items():
        assert status_of(kind("What happened.", remedy="What to do."))[0] == status, kind


@pytest.mark.parametrize("kind", [errors.UpstreamSlow, errors.QuotaExceeded, errors.ArchiveError])
def test_a_503_says_in_whole_seconds_when_to_come_back(kind: type[SheetsError]) -> None:
    answer = error_answer(kind("What happened.", remedy="What to do."), "usage", "csv")
    assert answer.headers["Retry-After"] == "60"
    assert answer.body == b"error,remedy\r\nWhat happened.,What to do.\r\n"


def test_the_docstring_of_the_tree_names_every_error() -> None:
    for kind in tree(SheetsError):
        assert kind.__name__ in (errors.__doc__ or "")
