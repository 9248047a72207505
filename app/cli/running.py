"""What every command needs: a voice, its errors in words, and a service of its own."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import typer
from rich.console import Console

from app.config import Settings
from app.domain.errors import SheetsError
from app.main import Service, build

P = ParamSpec("P")
T = TypeVar("T")
PATIENCE_SECONDS = 3600.0
"""How long a command waits for PowerShaper: no spreadsheet gives up on it."""

say = Console(stderr=True, highlight=False, soft_wrap=True)


def in_words(command: Callable[P, T]) -> Callable[P, T]:
    """A command whose errors are printed as what happened and what to do, with exit status 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except SheetsError as error:
            say.print(str(error), style="red", markup=False)
            say.print(error.remedy, markup=False)
            raise typer.Exit(1) from None

    return run


async def with_service(
    settings: Settings, work: Callable[[Service], Awaitable[T]], *, anew_if_damaged: bool = False
) -> T:
    """Does `work` with a service of its own, which rechecks what is due before it answers."""
    patient = {"wait_seconds": PATIENCE_SECONDS, "patience_seconds": PATIENCE_SECONDS}
    service = build(settings.model_copy(update=patient), recheck_behind=False, anew_if_damaged=anew_if_damaged)
    try:
        return await work(service)
    finally:
        await service.aclose()
