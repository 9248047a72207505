"""A LibreOffice without a window that other programs can drive, for as long as a test needs it."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

PYTHON = "/usr/bin/python3"
"""The Python of the system: that for which Debian's python3-uno is made."""
START_SECONDS = 90
SETTING = '<item oor:path="/org.openoffice.Office.{}"><prop oor:name="{}" oor:op="fuse"><value>{}</value></prop></item>'
SETTINGS = (
    '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry" '
    'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{}</oor:items>'
)


def python_with_uno() -> str:
    """The Python that knows LibreOffice; where there is none the test is left out, and that is said."""
    if Path(PYTHON).exists() and subprocess.run([PYTHON, "-c", "import uno"], check=False, stderr=-3).returncode == 0:
        return PYTHON
    if os.environ.get("REQUIRE_CLIENTS"):
        pytest.fail("python3-uno is not installed, and REQUIRE_CLIENTS asks for it")
    pytest.skip("python3-uno is not installed")


@contextmanager
def office(soffice: str, folder: Path) -> Iterator[str]:
    """The name of the pipe on which an office of the test's own listens."""
    pipe = f"powershaper-{uuid4().hex[:12]}"
    trusted = SETTING.format("Common/Security/Scripting", "SecureURL", f"<it>{folder.as_uri()}</it>")
    always = SETTING.format("Calc/Content/Update", "Link", 0)
    (folder / "profile" / "user").mkdir(parents=True)
    (folder / "profile" / "user" / "registrymodifications.xcu").write_text(SETTINGS.format(trusted + always))
    command = [
        soffice,
        f"-env:UserInstallation=file://{folder}/profile",
        *("--headless", "--norestore", "--nologo", f"--accept=pipe,name={pipe};urp;"),
    ]
    with (folder / "office.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        yield pipe
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


def told(script: Path, pipe: str, *words: str | Path) -> str:
    """What a script that drives the office prints; an office that is still starting is waited for."""
    end = time.monotonic() + START_SECONDS
    while True:
        done = subprocess.run([PYTHON, script, pipe, *words], capture_output=True, text=True, timeout=180, check=False)
        if done.returncode == 0:
            return done.stdout
        assert "NoConnectException" in done.stderr, done.stderr
        assert time.monotonic() < end, done.stderr
        time.sleep(0.5)
