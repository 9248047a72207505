"""Another archive takes the place of the one that a service runs on: a backup, or an empty one."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from service import eventually, running

from app.archive import open_archive
from app.demo import DemoUpstream

ASKED = "/usage.csv?meter=gas&period=2021-06&tz=UTC"


def test_it_may_come_during_a_fetch_and_know_none_of_the_meters(tmp_path: Path) -> None:
    upstream = DemoUpstream(moved=False)
    open_archive(f"sqlite:///{tmp_path}/empty.db").close()
    with running(tmp_path, upstream=upstream) as service, ThreadPoolExecutor(1) as client:
        service.text("/meters.csv")
        upstream.delay = 2
        answer = client.submit(service.text, ASKED)
        eventually(lambda: "/gas?" in service.calls[-1])
        shutil.move(tmp_path / "empty.db", tmp_path / "archive.db")
        held = answer.result()
        assert len(held.splitlines()) == 1 + 30 * 48
        upstream.delay = 0
        assert service.text(ASKED) == held
        eventually(lambda: "archive,ok" in service.text("/status.csv"))
