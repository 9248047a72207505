"""The archives of tests. Another store's tests are these with another `url`."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from archive.stores import Opened, url_of

from app.archive import Archive, open_archive


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file that a test's archive is kept in."""
    return tmp_path / "archive.db"


@pytest.fixture
def url(path: Path) -> str:
    """Where a test's archive is kept."""
    return url_of(path)


@pytest.fixture
def opened(url: str) -> Iterator[Opened]:
    """Opens a test's archive, each time as another process would."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(open_archive(url)))


@pytest.fixture
def archive(opened: Opened) -> Archive:
    """An archive that holds nothing yet."""
    return opened()
