"""PowerShaper's own API, cached: programs that are written for it work with only its address changed."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import FastAPI, Request, Response

from app.domain.errors import NotFound, SheetsError
from app.domain.keys import AccessKey
from app.domain.meters import ListedMeter
from app.query import records_asked
from app.readthrough import Questions, ReadThrough, Said
from app.upstream import meters_among
from app.web.answers import SMALLEST_GZIPPED, Answer, Body, conditional, takes_gzip
from app.web.bodies import Bodies
from app.web.entrance import response_of
from app.web.errors import api_answer
from app.web.guard import API
from app.web.made import CACHE_STATUS

METHODS = ["GET", "HEAD"]
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Compat:
    """Answers in PowerShaper's own JSON; every error has its `detail`."""

    source: ReadThrough
    questions: Questions
    bodies: Bodies

    async def meters(self, request: Request) -> Answer:
        """The list of meters, of those that the key may read. SheetsError."""
        key: AccessKey | None = request.state.key
        said = await self.questions.meters(_asker(key), self.source.deadline())
        scope = key.scope if key else None
        return await self._answer(request, said, ("meters", scope), scope)

    async def records(self, request: Request, consent: str, kind: str) -> Answer:
        """The records of a meter on the list; upstream is asked for that one. SheetsError."""
        key: AccessKey | None = request.state.key
        asked = records_asked(request.query_params.multi_items())
        deadline = self.source.deadline()
        meter = await self._listed((consent, kind), key, deadline)
        said = await self.questions.records(_asker(key), meter, asked, deadline)
        return await self._answer(request, said, (meter.key, asked), None)

    async def _listed(self, named: tuple[str, str], key: AccessKey | None, deadline: float) -> ListedMeter:
        """The meter of the list that a path names. NotFound, SheetsError."""
        with suppress(NotFound):
            permits = key.permits if key else lambda _: True
            for meter in (await self.source.meters(("/".join(named),), permits, deadline)).meters:
                if meter.listed.key == named and meter.is_listed:
                    return meter.listed
        raise NotFound("There is no such meter.", remedy="The list of meters has all that can be read.")

    async def _answer(
        self, request: Request, said: Said, question: object, scope: frozenset[tuple[str, str]] | None
    ) -> Answer:
        def make() -> Body:
            return Body.of(said.body if scope is None else meters_among(said.body, scope))

        key = ("api", question, said.at)
        body = await self.bodies.get(key, make)
        if len(body) >= SMALLEST_GZIPPED and takes_gzip(",".join(request.headers.getlist("accept-encoding"))):
            body = await self.bodies.get((*key, "gzip"), body.gzipped)
        headers = {
            "Cache-Control": "private, no-cache",
            "Cache-Status": CACHE_STATUS[said.outcome],
            "Vary": "Accept-Encoding, Authorization",
            "X-Data-As-Of": datetime.fromtimestamp(said.at, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return conditional(Answer(200, JSON, b"", headers), body, ",".join(request.headers.getlist("if-none-match")))


def add_compat_routes(app: FastAPI, compat: Compat) -> None:
    """Adds the routes of PowerShaper's own API."""

    async def meters(request: Request) -> Response:
        try:
            return response_of(await compat.meters(request))
        except SheetsError as error:
            return response_of(api_answer(error))

    async def records(request: Request, consent: str, kind: str) -> Response:
        try:
            return response_of(await compat.records(request, consent, kind))
        except SheetsError as error:
            return response_of(api_answer(error))

    app.add_api_route(f"{API}v1/meters/", meters, methods=METHODS)
    app.add_api_route(f"{API}v1/meter/{{consent}}/{{kind}}", records, methods=METHODS)


def _asker(key: AccessKey | None) -> str:
    """Who asks: a key, or this machine."""
    return key.id if key else ""
