"""Bodies that are kept: what they take with their questions is bounded, however small each of them is."""

import asyncio

from app.web.answers import Body
from app.web.bodies import BYTES_BESIDE, Bodies


def test_small_bodies_count_with_what_is_kept_beside_them() -> None:
    made: list[int] = []

    async def scenario() -> None:
        bodies = Bodies(10 * (BYTES_BESIDE + 1))

        async def ask(question: int) -> None:
            def make() -> Body:
                made.append(question)
                return Body.of(b"1")

            assert (await bodies.get(question, make)).content == b"1"

        for question in (*range(20), *range(10, 20)):
            await ask(question)
        assert made == list(range(20))
        await ask(0)
        assert made[-1] == 0

    asyncio.run(scenario())
