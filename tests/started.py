"""Starts a command that serves, as people do: a process of its own, until Control-C."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def started(command: Sequence[str | Path], folder: Path, env: Mapping[str, str]) -> Iterator[list[str]]:
    """Gives the addresses that the command prints; it must end well."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stderr is not None
        said = ""
        rest: list[str] = []
        reading = threading.Thread(target=rest.extend, args=(process.stderr,), daemon=True)
        for line in process.stderr:
            said += line
            if "Control-C" in line:
                break
        reading.start()
        try:
            addresses = [address.rstrip(".") for address in re.findall(r"http://[^\s,;]+", said)]
            assert addresses, said
            yield addresses
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            reading.join()
    assert "Traceback" not in "".join(rest), "".join(rest)
    assert process.returncode in {0, -signal.SIGINT, 130}
