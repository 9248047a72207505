"""Access keys from their making to their end: their form, the commands, and what is kept of them."""

import asyncio
import hashlib
import re
import time
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from access.canaries import all_files, leaks
from access.doors import A_ROW, GAS_DAY, PUBLIC_URL
from service import AFTER_THE_DATA, HOME_A, HOME_B, SetClock, settings_for
from shell import Shell

from app.access import Access, access_key, is_whole, key_hash, new_key
from app.archive import Archive, Threads, open_archive
from app.cli.servers import served
from app.domain.keys import AccessKey
from app.main import create_app

FORM = re.compile(r"pss_[0-9A-Za-z]{30}[0-9A-Za-z]{6}")
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LONDON = ZoneInfo("Europe/London")
"""The time zone of the settings' default, whose day counts."""


def test_a_key_is_pss_30_random_letters_and_6_that_check_them() -> None:
    keys = [new_key() for _ in range(500)]
    assert len({key[4:34] for key in keys}) == 500
    assert all(FORM.fullmatch(key) and is_whole(key) for key in keys)
    assert set("".join(key[4:34] for key in keys)) == set(LETTERS)


def test_a_key_with_any_one_letter_changed_left_out_or_doubled_is_not_whole() -> None:
    key = new_key()
    for place in range(len(key)):
        assert not is_whole(key[:place] + key[place + 1 :])
        assert not is_whole(key[: place + 1] + key[place:])
        assert not any(is_whole(key[:place] + letter + key[place + 1 :]) for letter in set(LETTERS) - {key[place]})
    for place in range(4, len(key) - 1):
        exchanged = key[:place] + key[place + 1] + key[place] + key[place + 2 :]
        assert exchanged == key or not is_whole(exchanged)


@pytest.mark.parametrize(
    "odd", ["", "pss_", "{0} ", " {0}", "{0}\n", "{0}{0}", "PSS_{1}", "{1}", "pss_{0}", "pss_" + "é" * 36]
)
def test_what_is_no_key_is_not_whole(odd: str) -> None:
    key = new_key()
    assert not is_whole(odd.format(key, key[4:]))
    assert not any(is_whole(key[:length]) for length in range(len(key)))


def test_the_hash_of_a_key_is_its_sha_256() -> None:
    key = new_key()
    assert key_hash(key) == hashlib.sha256(key.encode("ascii")).digest()
    assert len(key_hash("pss_\udcff")) == 32, "whatever somebody sends has one"
    kept = access_key(key, "x", None, None, 7)
    assert (kept.sha256, kept.created_at) == (key_hash(key), 7)
    assert re.fullmatch("[0-9a-z]{8}", kept.id)
    assert leaks(repr(kept).encode(), key) == []


@pytest.fixture
def shell(shell: Shell) -> Shell:
    """A narrow one: no line of it may break a key."""
    shell.env["COLUMNS"] = "40"
    return shell


def keys_of(shell: Shell) -> list[AccessKey]:
    with closing(open_archive(shell.env["POWERSHAPER_ARCHIVE_URL"])) as archive:
        return archive.keys()


def line_of(shell: Shell, key_id: str) -> str:
    [line] = [line for line in shell.out("keys", "list").splitlines() if key_id in line.split()]
    return line


def test_create_prints_the_key_alone_on_stdout_and_once(shell: Shell) -> None:
    result = shell.run("keys", "create", "--name", "My sheet [of 2024] =1+1")
    assert result.exit_code == 0
    assert FORM.fullmatch(result.stdout.removesuffix("\n"))
    key = result.stdout.strip()
    assert is_whole(key)
    assert leaks(result.stderr.encode(), key[4:]) == []
    assert "My sheet [of 2024] =1+1" in result.stderr
    assert shell.out("keys", "create", "--name", "another").strip() != key


def test_only_the_hash_of_a_key_is_kept(shell: Shell) -> None:
    keys = [shell.out("keys", "create", "--name", f"number {place}").strip() for place in range(3)]
    files = all_files(shell.folder)
    assert leaks(files, *keys) == []
    for key in keys:
        assert key.encode() not in files
        assert key[4:34].encode() not in files
        assert key[4:].encode() not in files
        assert key_hash(key) in files


def test_list_shows_each_id_as_one_word_of_its_line_and_never_a_key(shell: Shell) -> None:
    assert shell.out("keys", "list") == ""
    names = ("sheets", "Excel, upstairs", "two words  opens revoked", "[bold]x[/bold]")
    keys = [shell.out("keys", "create", "--name", name).strip() for name in names]
    text = shell.out("keys", "list")
    assert len(text.splitlines()) == len(names), "a line each, however narrow the terminal"
    assert leaks(text.encode(), *keys, *(key_hash(key).hex() for key in keys)) == []
    for kept in keys_of(shell):
        assert repr(kept.name) in line_of(shell, kept.id)
        assert line_of(shell, kept.id).split().count(kept.id) == 1
    shell.out("keys", "revoke", keys_of(shell)[0].id)
    states = [" revoked " in line_of(shell, kept.id).split("name=")[0] for kept in keys_of(shell)]
    assert states == [True, False, False, False]


def test_revoking_nothing_fails(shell: Shell) -> None:
    key = shell.out("keys", "create", "--name", "x").strip()
    assert "No key of that id" in shell.fails("keys", "revoke", "nobody")
    assert "No key of that id" in shell.fails("keys", "revoke", "x")
    refused = shell.fails("keys", "revoke", key)
    assert leaks(refused.encode(), key) == []
    [kept] = keys_of(shell)
    assert shell.out("keys", "revoke", kept.id) == ""
    assert "No key of that id" in shell.fails("keys", "revoke", kept.id)
    assert keys_of(shell)[0].revoked_at is not None


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "a\x1b[31mred", "a\tb"])
def test_a_name_that_would_spoil_the_list_is_refused(shell: Shell, name: str) -> None:
    assert "name of a key" in shell.fails("keys", "create", "--name", name)
    assert keys_of(shell) == []


def test_the_day_of_expiry_is_included_and_a_past_one_refused(shell: Shell) -> None:
    today = datetime.now(LONDON).date()
    assert "is past" in shell.fails("keys", "create", "--name", "x", "--expires", str(today - timedelta(days=1)))
    for wrong in ("tomorrow", "2026-02-30", "20991231", ""):
        assert shell.fails("keys", "create", "--name", "x", "--expires", wrong)
    assert keys_of(shell) == []
    shell.out("keys", "create", "--name", "x", "--expires", str(today))
    [kept] = keys_of(shell)
    assert kept.expires_on == today
    assert f"expires={today}" in line_of(shell, kept.id)
    assert (kept.opens(today), kept.opens(today + timedelta(days=1))) == (True, False)


def test_the_scope_of_a_key_is_fixed_when_it_is_made(shell: Shell) -> None:
    """The gas meter is called otherwise later on, and the other home's meter then takes its old name."""
    key = shell.out("keys", "create", "--name", "gas", "--meter", "gas").strip()
    home_a = shell.out("keys", "create", "--name", "home A", "--meter", HOME_A).strip()
    assert [kept.scope for kept in keys_of(shell) if kept.name == "gas"] == [frozenset({(HOME_A, "gas")})]
    assert "No key" not in shell.fails("keys", "create", "--name", "x", "--meter", "nobody")
    shell.out("meters", "rename", "gas", "heating")
    shell.out("meters", "rename", "electricity-b27d04e6", "gas")
    settings = settings_for(shell.folder, shell.env["POWERSHAPER_BASE_URL"], public_url=PUBLIC_URL)
    with served(create_app(settings, clock=SetClock(AFTER_THE_DATA.timestamp()))) as address:

        def get(path: str, key: str) -> httpx.Response:
            return httpx.get(address + path, auth=("x", key), trust_env=False, timeout=30)

        assert get("/meters.csv?columns=meter", key).text.split() == ["meter", "heating"]
        assert get(GAS_DAY.replace("gas", "heating"), key).text.count(A_ROW) == 2
        assert get(f"/usage.csv?meter={HOME_B}&period=2013-10-27", key).status_code == 404
        assert get("/usage.csv?meter=electricity-5f1c9a52", key).status_code == 404
        assert get("/meters.csv?columns=meter", home_a).text.split() == ["meter", "electricity-5f1c9a52", "heating"]
        hidden = get("/usage.csv?meter=gas&period=2013-10-27&columns=meter", key)
        assert set(hidden.text.split()[1:]) <= {"heating"}, "the type gas is meant, and the name is another's"


def used_after(archive: Archive) -> list[int | None]:
    keys = archive.keys()
    return [kept.last_used_at for kept in keys]


def test_the_last_use_is_written_at_most_once_a_minute(tmp_path: Path) -> None:
    async def asked() -> list[int]:
        written = []
        for _ in range(121):
            assert await access.holder(key) is not None
            assert await access.holder(new_key()) is None
            await asyncio.wrap_future(threads.write(lambda _: None))  # what was written before is there
            written.append(used_after(archive)[0] or 0)
            clock.now += 1
        return written

    began = int(AFTER_THE_DATA.timestamp())
    clock, key = SetClock(began), new_key()
    with closing(open_archive(f"sqlite:///{tmp_path}/archive.db")) as archive:
        archive.add_key(access_key(key, "x", None, None, began))
        assert used_after(archive) == [None]
        threads = Threads(open_archive(f"sqlite:///{tmp_path}/archive.db"))
        access = Access(threads, clock, "Europe/London")
        assert sorted(set(asyncio.run(asked()))) == [began, began + 60, began + 120]
        threads.close()


def test_a_key_opens_for_all_who_come_first_and_at_once(tmp_path: Path) -> None:
    async def all_at_once() -> list[AccessKey | None]:
        return await asyncio.gather(*(access.holder(key) for _ in range(20)))

    key = new_key()
    archive = open_archive(f"sqlite:///{tmp_path}/archive.db")
    archive.add_key(access_key(key, "x", None, date(2099, 1, 1), 0))
    threads = Threads(archive)
    access = Access(threads, time.time, "Europe/London")
    held = asyncio.run(all_at_once())
    threads.close()
    assert [kept is not None for kept in held] == [True] * 20


def test_a_key_that_has_ended_opens_nothing_and_counts_as_not_used(tmp_path: Path) -> None:
    async def asked() -> list[AccessKey | None]:
        return [await access.holder(key) for key in keys]

    now = int(datetime(2021, 7, 1, 23, 30, tzinfo=UTC).timestamp())  # it is 2 July in London
    keys = [new_key() for _ in range(3)]
    archive = open_archive(f"sqlite:///{tmp_path}/archive.db")
    archive.add_key(access_key(keys[0], "ended on the first", None, date(2021, 7, 1), 0))
    archive.add_key(access_key(keys[1], "ends today", None, date(2021, 7, 2), 0))
    revoked = access_key(keys[2], "revoked", None, None, 0)
    archive.add_key(revoked)
    archive.revoke_key(revoked.id, now)
    threads = Threads(archive)
    access = Access(threads, lambda: now, "Europe/London")
    assert [kept.name if kept else None for kept in asyncio.run(asked())] == [None, "ends today", None]
    used = {kept.name: kept.last_used_at for kept in threads.write(lambda store: store.keys()).result()}
    threads.close()
    assert used == {"ended on the first": None, "ends today": now, "revoked": None}
