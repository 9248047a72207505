"""The command `powershaper-sheets`."""

from app.cli.commands import main

__all__ = ["main"]
