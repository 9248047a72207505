"""Small disks of a test's own, that can be filled and made read-only."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A disk in memory, mounted at `folder`; the test is left out, and that is said, where none can be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        if os.environ.get("REQUIRE_CLIENTS"):
            pytest.fail(f"no disk can be mounted ({mounted.stderr.strip()}), and REQUIRE_CLIENTS asks for it")
        pytest.skip("no disk can be mounted here; root can")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def make_read_only(disk: Path, *, read_only: bool = True) -> None:
    """Whether nothing on it can be written."""
    mode = "ro" if read_only else "rw"
    subprocess.run(["mount", "-o", f"remount,{mode}", str(disk)], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """No byte more can be written to it as long as the block runs."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    try:
        yield
    finally:
        ballast.unlink()
