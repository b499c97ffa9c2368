"""Who is who at a proxy: tokens stay in memory, each is asked for once, and not knowing never becomes knowing wrongly."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from playhead.ports.backend import RemoteUser
from playhead.ports.callers import Credential, KnownCaller, Named
from playhead.ports.errors import Unreachable
from playhead.runtime import callers
from playhead.runtime.callers import CallerBook
from playhead.store.callers import CallersFile
from playhead.store.secrets import SecretStore

ANNA, KID = RemoteUser("1", "anna"), RemoteUser("7", "kid")


class Town:
    """A book, its keep and somebody who can be asked."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.kept: dict[str, KnownCaller] = {}
        self.known: dict[str, RemoteUser] = {"anna-token": ANNA}
        self.playing: dict[str, RemoteUser] = {}
        self.asked: list[str] = []
        self.down = False
        self.book = self.open()

    def open(self) -> CallerBook:
        return CallerBook(b"key", self, lambda: self.now)

    def load(self) -> Mapping[str, KnownCaller]:
        return dict(self.kept)

    def save(self, callers: Mapping[str, KnownCaller]) -> None:
        self.kept = dict(callers)

    async def ask(self, _connection_id: int, credential: Credential) -> Named | None:
        self.asked.append(credential.token or credential.client)
        if self.down:
            raise Unreachable("plex.tv is away.")
        if (user := self.playing.get(credential.client)) is not None:
            return Named(user, passing=True)
        user = self.known.get(credential.token)
        return Named(user) if user is not None else None

    def find(self, *wanted: str | None, connection: int = 1) -> dict[str, RemoteUser]:
        return asyncio.run(self.book.find({each: connection for each in wanted if each}, self.ask))


@pytest.fixture
def town() -> Town:
    return Town()


def test_a_token_is_asked_for_once(town: Town) -> None:
    anna = town.book.note(1, Credential("anna-token", "app"))
    assert anna and "anna" not in anna
    assert town.find(anna) == town.find(anna) == {anna: ANNA}
    assert town.asked == ["anna-token"]


def test_it_is_known_after_a_restart_and_forgotten_in_time(town: Town) -> None:
    anna = town.book.note(1, Credential("anna-token", "app"))
    town.find(anna)
    town.book = town.open()
    assert town.find(anna) == {anna: ANNA}
    town.now += callers.BELIEVED_FOR_S + 1
    assert town.find(anna) == {}
    assert town.book.note(1, Credential("anna-token", "app")) == anna
    assert town.find(anna) == {anna: ANNA}
    assert town.asked == ["anna-token"] * 2


def test_one_token_is_another_login_on_another_server(town: Town) -> None:
    """The owner of one server is somebody's guest on the next."""
    here, there = (town.book.note(connection, Credential("anna-token")) for connection in (1, 2))
    assert here != there


def test_who_nobody_knows_is_left_out_and_asked_for_again_later(town: Town) -> None:
    stranger = town.book.note(1, Credential("strange"))
    assert town.find(stranger) == town.find(stranger) == {}
    assert len(town.asked) == 1
    town.known["strange"] = KID
    town.now += callers.ASK_AGAIN_S
    assert town.find(stranger) == {stranger: KID}


def test_who_cannot_be_asked_leaves_everybody_unknown(town: Town) -> None:
    town.down = True
    anna = town.book.note(1, Credential("anna-token"))
    assert town.find(anna) == {}
    town.down = False
    town.now += callers.ASK_AGAIN_S
    assert town.find(anna) == {anna: ANNA}


def test_a_killed_hub_forgot_the_token_and_knows_nobody_by_it(town: Town) -> None:
    anna = town.book.note(1, Credential("anna-token"))
    town.book = town.open()
    assert town.find(anna) == {} and town.asked == []


def test_the_hubs_own_logins_need_no_asking(town: Town) -> None:
    town.book.set_own({(1, "kid-token"): KID})
    kid = town.book.note(1, Credential("kid-token", "app"))
    assert kid and town.find(kid) == {kid: KID}
    assert town.asked == []


def test_without_a_token_the_app_stands_for_its_user(town: Town) -> None:
    assert town.book.note(1, Credential("", "app")) == town.book.note(1, Credential("", "app"))
    assert town.book.note(1, Credential()) is None


@pytest.mark.parametrize("token", ["", "transient-7"])
def test_who_plays_on_an_app_is_believed_for_a_moment(town: Town, token: str) -> None:
    """Another member of the Home takes it over: their events are theirs, also those that waited."""
    town.playing["roku"] = ANNA
    caller = town.book.note(1, Credential(token, "roku"))
    assert town.find(caller) == town.find(caller) == {caller: ANNA}
    town.playing["roku"] = KID
    town.now += callers.PASSING_FOR_S + 1
    assert town.find(caller) == {caller: KID}
    town.playing.clear()
    town.now += callers.PASSING_FOR_S + 1
    assert town.find(caller) == {}
    assert len(town.asked) == 3


def test_memory_is_bounded(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest are those who can still be asked for."""
    monkeypatch.setattr(callers, "MOST_REMEMBERED", 3)
    noted = [town.book.note(1, Credential(f"t{n}")) for n in range(10)]
    town.known |= {f"t{n}": KID for n in range(10)}
    assert list(town.find(*noted)) != [] and set(town.asked) == {"t7", "t8", "t9"}
    assert len(town.kept) == 3


def test_what_is_kept_is_sealed(tmp_path: Path) -> None:
    """Neither a token nor a name is readable in the home folder, and another key opens nothing."""
    keep = CallersFile(tmp_path / "callers", SecretStore(tmp_path, {}))
    book = CallerBook(b"key", keep)
    town = Town()
    anna = book.note(1, Credential("anna-token"))
    assert anna
    asyncio.run(book.find({anna: 1}, town.ask))
    kept = (tmp_path / "callers").read_bytes()
    assert b"anna" not in kept and anna.encode() not in kept
    assert keep.load()[anna].user == ANNA
    (tmp_path / "secret.key").unlink()
    other = SecretStore(tmp_path / "other", {})
    (tmp_path / "other").mkdir()
    assert CallersFile(tmp_path / "callers", other).load() == {}
    assert CallersFile(tmp_path / "nothing", other).load() == {}
