"""serve, sync, export and backup at once on one file, as processes of their own."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from archive.stores import DAY, NOON, Opened, measured, one_meter, storing
from shell import Shell
from started import started

from app.archive import SqliteArchive
from app.archive.sqlite_file import SAFE_WAL
from app.domain.errors import ArchiveError

COMMAND = (sys.executable, "-m", "app")
QUESTION = ("usage", "--meter", "gas", "--period", "2021-05", "--aggregate", "day", "--tz", "UTC")


def begun(shell: Shell, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        (*COMMAND, *words),
        cwd=shell.folder,
        env=environment(shell),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def environment(shell: Shell) -> dict[str, str]:
    return os.environ | shell.env | {"PYTHONPATH": str(Path(__file__).parents[2])}


def ended(processes: Sequence["subprocess.Popen[str]"]) -> list[str]:
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    return [out for out, _ in said]


def test_serve_sync_export_and_backup_share_one_file(shell: Shell) -> None:
    with started((*COMMAND, "serve", "--port", "0"), shell.folder, environment(shell)) as addresses:
        processes = [
            begun(shell, "sync", "--since", "2021-01-01"),
            begun(shell, "sync", "--meter", "gas", "--since", "2020-01-01"),
            begun(shell, "export", *QUESTION),
            begun(shell, "export", *QUESTION),
        ]
        served = [
            httpx.get(
                f"{addresses[0]}/usage.csv?meter=gas&period=2021-05&aggregate=day&tz=UTC", timeout=60, trust_env=False
            )
            for _ in range(5)
        ]
        _, _, first, second = ended(processes)
        ended([begun(shell, "backup", "copy.db")])
        assert {answer.status_code for answer in served} == {200}
    rows = {first.replace("\r\n", "\n"), second, *(answer.text.replace("\r\n", "\n") for answer in served)}
    assert len({text.replace("\r\n", "\n") for text in rows}) == 1
    with (
        closing(SqliteArchive(shell.folder / "archive.db")) as archive,
        closing(SqliteArchive(shell.folder / "copy.db")) as copy,
    ):
        assert archive.integrity() == copy.integrity() == []
        assert archive.held() == copy.held()
    with closing(sqlite3.connect(shell.folder / "archive.db")) as db:
        assert db.execute("SELECT count(*) FROM revisions").fetchone() == (0,)


def test_a_file_that_a_newer_sqlite_left_with_a_write_ahead_log_is_used_safely(opened: Opened, path: Path) -> None:
    archive = opened()
    archive.store(one_meter(archive).id, measured(), NOON)
    archive.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        db.execute("SELECT count(*) FROM days").fetchone()
        if sqlite3.sqlite_version_info < SAFE_WAL:
            with pytest.raises(ArchiveError, match="newer SQLite") as caught:
                opened()
            assert "same Python" in caught.value.remedy
    archive = opened()
    archive.store(1, measured(DAY + 1), NOON)
    with closing(sqlite3.connect(path)) as db:
        wanted = "wal" if sqlite3.sqlite_version_info >= SAFE_WAL else "delete"
        assert db.execute("PRAGMA journal_mode").fetchone() == (wanted,)
    assert archive.integrity() == []


def test_another_programs_lock_is_waited_for_and_then_said(shell: Shell) -> None:
    shell.out("meters")
    with closing(sqlite3.connect(shell.folder / "archive.db", isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        assert "another program keeps it locked" in shell.fails("keys", "list")
        db.execute("ROLLBACK")
    assert shell.out("keys", "list") == ""


def test_its_size_is_told_while_another_process_writes(opened: Opened, url: str) -> None:
    archive = opened()
    writer = storing(url, one_meter(archive).id, DAY, spans=200, days=1)
    while writer.is_alive():
        assert archive.size_bytes() > 0
    writer.join()
    assert writer.exitcode == 0


def test_a_file_that_others_could_read_is_closed_to_them(opened: Opened, path: Path) -> None:
    opened().close()
    path.chmod(0o644)
    opened()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_opened_to_others_is_a_fault(opened: Opened, path: Path) -> None:
    archive = opened()
    path.chmod(0o640)
    (fault,) = archive.integrity()
    assert "0640" in fault
    assert "chmod 600" in fault
