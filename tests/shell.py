"""The command line as a person with an account uses it, in this process."""

from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner, Result

from app.cli.commands import cli
from app.demo import DEMO_TOKEN, DemoUpstream


@dataclass
class Shell:
    """Runs commands with the settings of an account on the demonstration upstream."""

    folder: Path
    upstream: DemoUpstream
    env: dict[str, str]

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(cli, words, env=self.env)

    def out(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def fails(self, *words: str) -> str:
        result = self.run(*words)
        assert (result.exit_code, result.stdout) == (1, ""), result.output
        return " ".join(result.stderr.split())


def environment(folder: Path, base_url: str) -> dict[str, str]:
    """The settings of that account, its archive in `folder`."""
    return {
        "POWERSHAPER_TOKEN": DEMO_TOKEN,
        "POWERSHAPER_BASE_URL": base_url,
        "POWERSHAPER_ARCHIVE_URL": f"sqlite:///{folder}/archive.db",
        "POWERSHAPER_CALLS_BURST": "1000",
        "COLUMNS": "200",
    }
