"""No command prints the token or a key, and no line that a running process logs holds them, at any level."""

import os
import re
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
from access.canaries import (
    AS_PARAMETERS,
    TARGETS,
    TOKEN,
    all_files,
    echoing,
    leaks,
    settings_with_canary,
)
from access.doors import ask, sent_as
from pydantic import SecretStr, ValidationError
from typer.testing import CliRunner

from app.access import access_key, new_key
from app.archive import open_archive
from app.cli.commands import cli
from app.config import Settings


@pytest.mark.parametrize("wrong", [f"{TOKEN}!", f" {TOKEN}", TOKEN + "x" * 100, f"Token {TOKEN}"])
def test_a_token_that_can_not_be_used_is_not_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("serve", "doctor", "meters"):
        result = CliRunner().invoke(cli, [command], env={"POWERSHAPER_TOKEN": wrong})
        assert result.exit_code == 1
        assert "POWERSHAPER_TOKEN" in result.output
        assert leaks(result.output.encode(), TOKEN) == []
    (tmp_path / "token").write_text(f"{wrong}\n{wrong}")
    result = CliRunner().invoke(cli, ["serve"], env={"POWERSHAPER_TOKEN_FILE": "token"})
    assert result.exit_code == 1
    assert leaks(result.output.encode(), TOKEN) == []
    with pytest.raises(ValidationError) as caught:
        Settings(token=SecretStr(wrong))
    assert leaks("".join(traceback.format_exception(caught.value)).encode(), TOKEN) == []


def test_no_command_prints_the_token_or_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with echoing() as (upstream, base_url):
        env = {
            "POWERSHAPER_TOKEN": TOKEN,
            "POWERSHAPER_BASE_URL": base_url,
            "POWERSHAPER_CALLS_BURST": "1000",
            "POWERSHAPER_RETRY_SECONDS": "0",
            "POWERSHAPER_ARCHIVE_URL": f"sqlite:///{tmp_path}/archive.db",
        }
        key = CliRunner().invoke(cli, ["keys", "create", "--name", "x"], env=env).stdout.strip()
        assert key.startswith("pss_")
        commands = [
            ["doctor"],
            ["meters"],
            ["keys", "list"],
            ["keys", "revoke", key],
            ["keys", "revoke", "nobody"],
            ["link", "usage", "--meter", "gas"],
            ["link", "meters", "--format", "xlsx"],
            ["export", "meters"],
            ["export", "meters", "--format", "xlsx", "-o", "meters.xlsx"],
            ["export", "usage", "--format", "xlsx", "--period", "2021-06-01", "-o", "usage.xlsx"],
            ["export", "usage", "--key", key, "--period", "2021-06-01", "--format", "html"],
            ["export", "usage", "--meter", TOKEN],
            ["export", TOKEN],
            ["sync", "--meter", "gas", "--since", "2022-11-01"],
        ]
        for fault in (None, "403", "503", "an object"):
            upstream.fault = fault
            for words in commands:
                result = CliRunner().invoke(cli, words, env=env)
                said = result.stdout_bytes + result.stderr_bytes + repr(result.exception).encode()
                assert leaks(said, TOKEN, key) == [], words
    for path in tmp_path.iterdir():
        assert leaks(path.read_bytes(), TOKEN, key) == [], path.name
    assert (tmp_path / "usage.xlsx").exists()


AT_DEBUG = """
import logging, sys
from app.cli import servers
from app.config import settings_from_environment
from app.main import create_app
from app.web.logs import set_up_logs

settings = settings_from_environment()
token, key = settings.required_token().get_secret_value(), sys.argv[1]
set_up_logs(token, logging.DEBUG)
for number, name in enumerate(("app", "httpx", "httpcore.http11", "uvicorn.error", "asyncio", "somebody")):
    log = logging.getLogger(name)
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        log.log(level, "Authorization: Token %s and key=%s&x=1", token, key)
        log.log(level, f"{token} {key}")
        log.log(level, {"authorization": f"Bearer {key}", "token": token})
        log.log(level, repr([b"Authorization", f"Token {token}".encode()]))
    try:
        raise ValueError(f"refused {token} and {key}")
    except ValueError:
        log.exception("A traceback.")
with servers.listening("127.0.0.1", 0) as listener:
    print(f"Listening on {servers.address_of(listener)} Control-C", file=sys.stderr, flush=True)
    servers.serve(create_app(settings), listener)
"""


@pytest.mark.parametrize("program", [["-m", "app", "serve", "--port", "0"], ["-c", AT_DEBUG]], ids=["serve", "DEBUG"])
def test_no_line_of_a_running_process_holds_the_token_or_a_key(tmp_path: Path, program: list[str]) -> None:
    key = new_key()
    with echoing() as (upstream, base_url):
        settings = settings_with_canary(tmp_path, base_url)
        with closing(open_archive(settings.archive)) as archive:
            archive.add_key(access_key(key, "a test", None, None, 0))
        env = {
            "POWERSHAPER_TOKEN": TOKEN,
            "POWERSHAPER_BASE_URL": base_url,
            "POWERSHAPER_CALLS_BURST": "1000",
            "POWERSHAPER_RETRY_SECONDS": "0",
            "POWERSHAPER_ARCHIVE_URL": settings.archive,
            "PYTHONASYNCIODEBUG": "1",
            "PYTHONUNBUFFERED": "1",
        }
        with logged(tmp_path, [*program, *([key] if "-c" in program else [])], env) as (address, lines):
            for fault in (None, "403", "503", "a list of texts", "301"):
                upstream.fault = fault
                for target in (*TARGETS, *(target.format(key) for target in AS_PARAMETERS), "/%70ss_?%6bey=a"):
                    for secret, way in ((key, "URL"), (key, "Basic"), (key, "Bearer"), (TOKEN, "URL")):
                        ask(address, *sent_as(way, target, secret))
                    ask(address, target)
                ask(address, f"/{TOKEN}.csv?{key}={TOKEN}", [f"User-Agent: {key}", f"Referer: http://x/?key={key}"])
                ask(address, f"/usage.csv?key={key}", hosts=["evil.example"])
                ask(address, f"/usage.csv?key={key}", method="POST")
                ask(address, f"/usage.csv?x={'a' * 9000}&key={key}")
    said = "".join(lines)
    assert len(said) > 10_000, "there were logs to look at"
    assert leaks(said.encode(), TOKEN, key) == []
    assert leaks(all_files(tmp_path), TOKEN, key) == []


@contextmanager
def logged(folder: Path, program: list[str], env: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """A process that serves: its address, and all that it has said when it has ended."""
    process = subprocess.Popen(
        [sys.executable, *program],
        cwd=folder,
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if found := re.search(r"(http://[\d.:]+\d)\S* .*Control-C", line):
                break
        reader = Thread(target=lambda: lines.extend(process.stdout or ()))
        reader.start()
        try:
            assert found, "".join(lines)
            wait_for(found[1])
            yield found[1], lines
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)
            reader.join()


def wait_for(address: str) -> None:
    """Until a server that has said where it will listen does."""
    for _ in range(200):
        with suppress(ConnectionRefusedError):
            if ask(address, "/healthz").status == 200:
                return
        time.sleep(0.05)
    pytest.fail(f"{address} does not answer")
