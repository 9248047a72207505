"""What the README says is true: its commands run, its addresses answer, its tables are whole."""

import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pandas as pd
import pytest
from checkout import copy_of_the_project
from service import Running
from started import started

from app.cli.commands import cli
from app.config import setting_rows
from app.query import PARAMETERS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
ADDRESSES = sorted(set(re.findall(r"https?://(?:127\.0\.0\.1:8000|sheets\.example\.org)[^\s\">)]*", README)))


def commands() -> dict[str, str]:
    """The README's two commands by the word that they end with."""
    lines = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)
    return {line.split("/")[-1].split()[-1]: line for line in lines}


def test_there_are_two_commands_that_do_all_the_set_up() -> None:
    assert set(commands()) == {"demo", "pytest"}


def test_every_address_answers_with_rows(homes: Running) -> None:
    assert len(ADDRESSES) >= 6
    for address in ADDRESSES:
        parts = urlsplit(address)
        asked = parts.path + (f"?{parts.query}" if parts.query else "")
        answer = homes.get(asked.replace("YOUR-KEY", homes.make_key()))
        assert answer.status_code == 200, address
        assert len(answer.content) > 200, address


def test_the_python_lines_run(homes: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet.replace("http://127.0.0.1:8000", homes.address), names)  # noqa: S102 - the README's own lines
    assert isinstance(names["days"], pd.DataFrame)
    assert len(names["days"]) == 2 * 30


def test_every_setting_stands_in_the_table_with_its_default_and_its_help() -> None:
    rows = {cells[0].strip(" `"): cells[1:] for cells in table_after("## Settings")}
    assert set(rows) == {name for name, _, _ in setting_rows()}
    for name, default, text in setting_rows():
        assert rows[name][0].strip(" `") == default
        assert text.split(";")[0].split(",")[0] in rows[name][1]


def test_every_parameter_stands_in_the_table() -> None:
    shown = {name for cells in table_after("whatever else") for name in re.findall(r"`([a-z_]+)`", cells[0])}
    assert shown == set(PARAMETERS)


def test_every_command_stands_in_the_table() -> None:
    shown = {cells[0].strip(" `").split()[1] for cells in table_after("## Your own data")}
    made = {command.name or command.callback.__name__ for command in cli.registered_commands if command.callback}
    assert shown == made | {"meters", "keys"}


def test_the_changelog_speaks_of_this_version() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert version
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def table_after(text: str) -> list[list[str]]:
    """The rows of the first table after a text, without its header, as cells."""
    lines = README[README.index(text) :].splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


@pytest.mark.fresh
def test_the_demonstrations_command_runs_on_a_fresh_copy(tmp_path: Path) -> None:
    copy_of_the_project(tmp_path)
    env = os.environ | {"PATH": f"{Path(sys.base_prefix) / 'bin'}:{os.environ['PATH']}"}
    with started(["bash", "-c", f"{commands()['demo']} --port 0"], tmp_path, env) as addresses:
        assert len(addresses) == 3
        for address in addresses:
            assert httpx.get(address, trust_env=False, timeout=60).status_code == 200
