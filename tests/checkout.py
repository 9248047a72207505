"""The project as a fresh copy has it: what git tracks, and what it doesn't ignore."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]


def copy_of_the_project(folder: Path, wanted: Callable[[str], bool] = lambda _: True) -> Path:
    """`folder`, filled with the files whose paths are `wanted`."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for name in filter(wanted, listed):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder
