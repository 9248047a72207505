"""`keys`: makes, lists and revokes access keys."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from app.access import access_key, new_key
from app.archive import Archive, open_archive
from app.cli.running import in_words, say, with_service
from app.config import Settings, settings_from_environment
from app.domain.errors import BadParameter, NotFound, SettingWrong
from app.domain.periods import parse_day
from app.main import Service

T = TypeVar("T")
keys_commands = typer.Typer(help="Access keys, for everybody who isn't on this machine.", no_args_is_help=True)


@keys_commands.command()
@in_words
def create(
    name: Annotated[str, typer.Option(help="Who or what it is for.")],
    meter: Annotated[
        list[str] | None, typer.Option(help="A meter that it may read; may be repeated. All without it.")
    ] = None,
    expires: Annotated[str | None, typer.Option(help="Its last day, YYYY-MM-DD. Never without it.")] = None,
) -> None:
    """Makes a key and prints it, this once: only its hash is kept."""
    settings = settings_from_environment()
    if not name.strip() or not name.isprintable():
        raise BadParameter("The name of a key is empty or can't be printed.", remedy="Give it another --name.")
    last_day = None if expires is None else parse_day(expires, "expires")
    if last_day is not None and last_day < _today(settings):
        raise BadParameter("The day expires is past.", remedy="Give a day that is still to come, or today.")
    scope = _scope(settings, meter) if meter else None
    key = new_key()
    kept = access_key(key, name.strip(), scope, last_day, int(time.time()))
    _with_archive(settings, lambda archive: archive.add_key(kept))
    say.print(f"The key {kept.id}, for {kept.name}. It is shown this once; only its hash is kept.", markup=False)
    typer.echo(key)


@keys_commands.command("list")
@in_words
def list_keys() -> None:
    """Lists all keys: id, whether it opens, name, meters, when made, last used, last day."""
    settings = settings_from_environment()
    today = _today(settings)
    for key in _with_archive(settings, lambda archive: archive.keys()):
        scope = "all" if key.scope is None else ",".join(f"{consent}/{kind}" for consent, kind in sorted(key.scope))
        state = "revoked" if key.revoked_at else "opens" if key.opens(today) else "expired"
        used = _moment(key.last_used_at) if key.last_used_at else "never"
        typer.echo(
            f"{key.id}  {state}  name={key.name!r}  meters={scope}  created={_moment(key.created_at)}  "
            f"used={used}  expires={key.expires_on or 'never'}"
        )


@keys_commands.command()
@in_words
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it.")]) -> None:
    """Revokes a key: within a second it opens nothing."""
    if not _with_archive(settings_from_environment(), lambda archive: archive.revoke_key(key_id, int(time.time()))):
        raise NotFound("No key of that id can be revoked.", remedy="`powershaper-sheets keys list` lists all keys.")
    say.print("It is revoked.")


def refuse_without_key(settings: Settings) -> None:
    """SettingWrong if no key opens, for then nobody could be let in."""
    today = _today(settings)
    archive = open_archive(settings.archive, anew_if_damaged=True)
    try:
        keys = archive.keys()
    finally:
        archive.close()
    if not any(key.opens(today) for key in keys):
        raise SettingWrong(
            "Others can reach this address, and there is no access key that opens.",
            remedy="Make one first: powershaper-sheets keys create --name sheets",
        )


def _scope(settings: Settings, selectors: list[str]) -> frozenset[tuple[str, str]]:
    async def chosen(service: Service) -> frozenset[tuple[str, str]]:
        return frozenset(meter.listed.key for meter in (await service.source.meters(selectors)).meters)

    return asyncio.run(with_service(settings, chosen))


def _with_archive(settings: Settings, work: Callable[[Archive], T]) -> T:
    archive = open_archive(settings.archive)
    try:
        return work(archive)
    finally:
        archive.close()


def _today(settings: Settings) -> date:
    return datetime.now(ZoneInfo(settings.tz)).date()


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%MZ")
