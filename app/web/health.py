"""The addresses that machines look at: is it alive, can it answer, and its numbers for Prometheus."""

from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.domain.errors import SheetsError
from app.readthrough import Watch
from app.web.entrance import response_of
from app.web.errors import failed
from app.web.status import metrics

METHODS = ["GET", "HEAD"]
READY, DEGRADED, NOT_READY = "ready", "degraded", "not ready"


def add_health_routes(app: FastAPI, watch: Watch) -> None:
    """Adds `/healthz` and `/readyz`, which anybody may ask, and `/metrics`, which is guarded like a table."""

    async def healthz() -> Response:
        return Response("ok\n", media_type="text/plain")

    async def readyz() -> Response:
        word = await readiness(watch)
        return Response(f"{word}\n", 503 if word == NOT_READY else 200, media_type="text/plain")

    async def metrics_page(request: Request) -> Response:
        key = request.state.key
        try:
            body = metrics(await watch.status(), key.permits if key else lambda _: True)
        except SheetsError as error:
            return response_of(failed(error, "metrics", "", ()))
        return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})

    app.add_api_route("/healthz", healthz, methods=METHODS)
    app.add_api_route("/readyz", readyz, methods=METHODS)
    app.add_api_route("/metrics", metrics_page, methods=METHODS)


async def readiness(watch: Watch) -> str:
    """Whether tables can be answered; degraded: they can, but the archive can't be written."""
    try:
        health = await watch.health()
    except SheetsError:
        return NOT_READY
    if not health.can_answer:
        return NOT_READY
    return READY if health.trouble is None else DEGRADED
