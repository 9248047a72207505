"""Power Query's M, run against a live service and read by those who know its grammar. None of them is the app's."""

import json
import subprocess
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from pyopenvba.mlang import Builtin, MError, Record, Table, run

PARSE = """
const { TaskUtils, DefaultSettings } = require("@microsoft/powerquery-parser");
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
Promise.all(texts.map((text) => TaskUtils.tryLexParse(DefaultSettings, text))).then((tasks) =>
  console.log(JSON.stringify(tasks.map((task) => (TaskUtils.isError(task) ? task.error.message : null)))));
"""
OPTIONS = {"RelativePath", "Query", "ApiKeyName"}


def run_m(text: str, http: httpx.Client, key: str | None = None) -> Table:
    """The table that a query gives, its requests made by `http`; `key` is what a user has typed as a Web API key."""

    def contents(address: str, options: Record) -> bytes:
        assert set(options.names) <= OPTIONS
        asked = options.get("Query", Record())
        assert isinstance(asked, Record)
        asked_for = {str(name): _texts(asked[name]) for name in asked.names}
        if options.has("ApiKeyName") and key is not None:
            asked_for[str(options["ApiKeyName"])] = [key]
        answer = http.get(f"{address}/{options['RelativePath']}", params=asked_for)
        if answer.status_code != httpx.codes.OK:
            raise MError("DataSource.Error", f"{answer.status_code}: {answer.text}")
        return answer.content

    sources = {
        "Web.Contents": Builtin("Web.Contents", contents, 2, 2),
        "Binary.Buffer": Builtin("Binary.Buffer", lambda binary: binary, 1, 1),
    }
    table = run(text, sources)
    assert isinstance(table, Table)
    return table


def _texts(value: object) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    assert all(isinstance(text, str) for text in texts), "Query takes texts, and lists of texts"
    return [str(text) for text in texts]


def in_m(cell: Any) -> Any:
    """A cell of the reference as M holds it: moments without a zone, numbers as such."""
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).replace(tzinfo=None) if cell.tzinfo else cell
    if isinstance(cell, Decimal):
        return float(cell)
    if isinstance(cell, str) and len(cell) == 5 and cell[2] == ":":
        return time.fromisoformat(cell)
    return cell


def kind_of(cell: Any) -> str:
    """The name that M gives a cell's type."""
    kinds = {datetime: "datetime", date: "date", time: "time", str: "text", int: "number", float: "number"}
    return "null" if cell is None else kinds[type(cell)]


def faults_for_microsoft(texts: Sequence[str], node: Path) -> list[str | None]:
    """What Microsoft's own parser finds wrong with each query; None is nothing."""
    done = subprocess.run([node, "-e", PARSE], input=json.dumps(texts), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    faults = json.loads(done.stdout)
    assert len(faults) == len(texts)
    return list(faults)
