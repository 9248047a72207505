"""The commands, one function each; what they do stands in the layers below."""

import asyncio
import logging
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as ConsoleTable

from app.archive import open_archive
from app.cli import servers
from app.cli.doctor import findings
from app.cli.keys import keys_commands, refuse_without_key
from app.cli.links import PLACEHOLDER_KEY, forms_of
from app.cli.running import in_words, say, with_service
from app.config import Settings, settings_from_environment
from app.demo import DEMO_TOKEN, DemoUpstream
from app.domain.errors import BadParameter, SettingWrong, UpstreamError
from app.domain.periods import parse_day
from app.domain.spans import day_number
from app.formats import FORMATS
from app.main import Service, create_app
from app.query import PARAMETERS, REPORTS, TABLES, Query, nearest
from app.web.exports import Asked
from app.web.logs import set_up_logs

cli = typer.Typer(
    help="Half-hourly smart-meter data from PowerShaper Monitor as tables for spreadsheets.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
meters_commands = typer.Typer(help="Lists the meters, or gives one another short name.", invoke_without_command=True)
cli.add_typer(meters_commands, name="meters")
cli.add_typer(keys_commands, name="keys")

PARAMETER_HELP = "Options of the table, as in its links:\n\n" + "\n\n".join(
    f"--{name}  {parameter.help}" for name, parameter in PARAMETERS.items() if parameter.tables != ("connected",)
)
WITH_PARAMETERS = {"allow_extra_args": True, "ignore_unknown_options": True}
DEFAULT_ADDRESS = "http://127.0.0.1:8000"

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")]
TableName = Annotated[str, typer.Argument(metavar="TABLE", help=", ".join((*TABLES, *REPORTS)))]
FormatName = Annotated[str, typer.Option("--format", help=", ".join(FORMATS))]


def main() -> None:
    """Runs the command line."""
    cli()


@cli.command()
@in_words
def demo(port: Port = 8000) -> None:
    """Runs the whole service on real household data: no account, no network, nothing kept."""
    with (
        servers.listening("127.0.0.1", port) as listener,
        tempfile.TemporaryDirectory() as folder,
        servers.served(DemoUpstream().app) as upstream_url,
    ):
        settings = Settings(
            token=SecretStr(DEMO_TOKEN),
            base_url=upstream_url,
            calls_per_minute=600,
            calls_burst=100,
            archive_url=f"sqlite:///{Path(folder).as_posix()}/archive.db",
        )
        set_up_logs(DEMO_TOKEN, logging.WARNING)
        app = create_app(settings)
        address = servers.address_of(listener)
        say.print(
            "[bold]The demonstration runs on the data of two real homes.[/bold] Try these in a browser or a sheet:\n"
        )
        for path in (
            "/",
            "/usage.xlsx?period=last-month&aggregate=day",
            "/usage.csv?meter=gas&period=yesterday",
        ):
            say.print(f"  {address}{path}", markup=False)
        say.print("\nControl-C ends it.")
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the folder goes, however it is ended
        servers.serve(app, listener)


@cli.command()
@in_words
def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Runs the service on the account whose token is set."""
    settings = settings_from_environment()
    set_up_logs(settings.required_token().get_secret_value())
    alone = servers.is_loopback(host) and not settings.public_urls
    if not alone:
        refuse_without_key(settings)
    with servers.listening(host, port) as listener:
        app = create_app(settings, on_loopback=servers.is_loopback(host))
        address = servers.address_of(listener)
        if alone:
            say.print(f"Listening on {address} for this machine alone, without a key. Control-C ends it.")
            say.print("Before you forward anything to it, set POWERSHAPER_PUBLIC_URL: then every request needs a key.")
        else:
            named = " and ".join(settings.public_urls) or "no address that others use: set POWERSHAPER_PUBLIC_URL"
            say.print(f"Listening on {address}, as {named}. Every request needs an access key. Control-C ends it.")
        servers.serve(app, listener)


@cli.command(context_settings=WITH_PARAMETERS, epilog=PARAMETER_HELP)
@in_words
def export(
    context: typer.Context,
    table: TableName,
    extension: FormatName = "csv",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; else standard output.")] = None,
) -> None:
    """Writes a table without a server: the same tables as the links."""
    pairs = _pairs(context.args)
    settings = settings_from_environment()

    async def made(service: Service) -> bytes:
        asked = Asked(table, extension, pairs, _address(settings), given_key=lambda: dict(pairs).get("key"))
        return (await service.exports.table(asked)).body

    body = asyncio.run(with_service(settings, made))
    if output is None:
        sys.stdout.buffer.write(body)
        return
    try:
        output.write_bytes(body)
    except OSError as error:
        raise SettingWrong(
            f"{output} can't be written: {error.strerror}.", remedy="Choose another file with -o."
        ) from error


@cli.command(context_settings=WITH_PARAMETERS, epilog=PARAMETER_HELP)
@in_words
def link(
    context: typer.Context,
    table: TableName,
    extension: FormatName = "csv",
    key: Annotated[str | None, typer.Option(help="An access key to put into the link.")] = None,
) -> None:
    """Prints a table's URL, its formula for Google Sheets, its Power Query and its curl line."""
    query = Query.parse(table, _pairs(context.args))
    if extension not in FORMATS:
        raise BadParameter("There is no such format.", remedy=f"The formats are {', '.join(FORMATS)}.")
    if table in REPORTS and extension != "xlsx":
        raise BadParameter(f"The {table} comes as xlsx alone.", remedy="Add --format xlsx.")
    settings = settings_from_environment()
    if key is None and settings.public_urls:
        key = PLACEHOLDER_KEY
    for name, text in forms_of(query, extension, _address(settings), key):
        typer.echo(f"{name}:\n{text}\n")


@cli.command()
@in_words
def sync(
    meter: Annotated[list[str] | None, typer.Option(help="A meter; may be repeated. All without it.")] = None,
    since: Annotated[str | None, typer.Option(help="The first UTC day, YYYY-MM-DD.")] = None,
) -> None:
    """Fills the archive. It can be stopped at any time, and goes on where it was when it is started again."""
    first_day = None if since is None else day_number(parse_day(since, "since"))

    async def filled(service: Service) -> None:
        calls = [
            (known, first, last)
            for known in (await service.source.meters(meter or ())).meters
            for first, last in await service.source.calls_to_fill(known, first_day)
        ]
        days = sum(last - first + 1 for _, first, last in calls)
        failures: dict[str, UpstreamError] = {}
        with Progress(console=say) as progress:
            task = progress.add_task("Days", total=max(days, 1), completed=0 if days else 1)
            for known, first, last in calls:
                progress.update(task, description=known.name)
                try:
                    await service.source.fill(known, first, last)
                except UpstreamError as error:
                    failures[known.name] = error
                    days -= last - first + 1
                progress.advance(task, last - first + 1)
        held = await service.source.held_half_hours()
        made = "1 call" if len(calls) == 1 else f"{len(calls)} calls"
        say.print(f"{days} days fetched in {made}; {held:,} half-hours are held.")
        for name, failure in failures.items():
            say.print(f"Not all of {name}: {failure} {failure.remedy}", style="red", markup=False)
        if failures:
            raise typer.Exit(1)

    asyncio.run(with_service(settings_from_environment(), filled, anew_if_damaged=True))


@cli.command()
@in_words
def backup(file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")]) -> None:
    """Copies the archive to FILE, consistent and whole, also while the service runs."""
    archive = open_archive(settings_from_environment().archive)
    try:
        archive.backup(file)
    finally:
        archive.close()
    say.print(f"{file} holds all that the archive held. To use it, stop the service and put it in the archive's place.")


@meters_commands.callback()
@in_words
def meters(context: typer.Context) -> None:
    """Lists the meters."""
    if context.invoked_subcommand is not None:
        return

    async def listed(service: Service) -> None:
        shown = ConsoleTable("name", "type", "consent", "status")
        for known in (await service.source.meters()).meters:
            shown.add_row(known.name, known.type, known.consent_uuid, known.status or "")
        Console().print(shown)

    asyncio.run(with_service(settings_from_environment(), listed))


@meters_commands.command()
@in_words
def rename(old: str, new: str) -> None:
    """Gives the meter OLD the short name NEW; links that name OLD stop working."""
    archive = open_archive(settings_from_environment().archive)
    try:
        archive.rename(old, new)
    finally:
        archive.close()
    typer.echo(f"{old} is now {new}.")


@cli.command()
@in_words
def doctor() -> None:
    """Checks settings, token, PowerShaper, archive and public address, and says what to do."""

    async def examined() -> bool:
        well = True
        async for fine, sentence in findings(settings_from_environment()):
            say.print("[green]✓[/green] " if fine else "[red]✗[/red] ", end="")
            say.print(sentence, markup=False)
            well = well and fine
        return well

    if not asyncio.run(examined()):
        raise typer.Exit(1)


def _address(settings: Settings) -> str:
    return settings.public_urls[0] if settings.public_urls else DEFAULT_ADDRESS


def _pairs(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """`--meter gas --period=2021` as the parameters of a link. BadParameter for what isn't one."""
    pairs = []
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if not equals:
            value = rest.pop(0) if rest else ""
        if name.removeprefix("--") not in PARAMETERS or not name.startswith("--"):
            near = nearest(name.removeprefix("--"), list(PARAMETERS))
            raise BadParameter(
                f"There is no option {name}.",
                remedy=f"Did you mean --{near}?" if near else "--help lists the options.",
            )
        pairs.append((name.removeprefix("--"), value))
    return pairs
