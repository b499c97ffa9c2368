"""From an event to the writes: only a linked person's item is read, and only what the server says of it counts."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Mapping

import msgspec
import pytest

from playhead.flows.observe import Observation, observe
from playhead.ports.backend import RemoteUser
from playhead.ports.events import Event, Heard
from playhead.ports.inbox import Fate, WaitingEvent
from tests.properties.servers import EMBY, JELLYFIN_12, PLEX
from tests.properties.town import Town
from tests.properties.world import ModelServer

FILMS = tuple(str(number) for number in range(1, 31))


@pytest.fixture
def town() -> Iterator[Town]:
    """Anna and the kid on three servers, in agreement."""
    town = Town([PLEX, JELLYFIN_12, EMBY], ("anna", "kid"), FILMS)
    town.settle()
    town.wait(4_000)
    yield town
    town.close()


def tell(town: Town, server: ModelServer, *events: Event) -> Observation:
    connection = next(r.connection_id for r in town.roles.values() if r.connection == server.name)
    waiting = [WaitingEvent(number, connection, event, town.now) for number, event in enumerate(events)]
    return asyncio.run(observe(town.context(), waiting))


def event(server: ModelServer, *films: str, user: str | None = "anna", what: Heard = Heard.state) -> Event:
    return Event("webhook", what, "Changed", tuple(server.ids[film] for film in films), user)


def test_a_play_reaches_the_others_and_nobody_else(town: Town) -> None:
    plex = town.servers[0]
    town.act("play", "anna", plex, "1")
    seen = tell(town, plex, event(plex, "1"))
    assert [end.fate for end in seen.ended] == [Fate.done]
    assert (seen.changed, seen.written, seen.failed) == (1, 2, 0)
    assert all(cell.watched for cell in town.cells("anna", "1").values())
    assert not any(cell.watched for cell in town.cells("kid", "1").values())


def test_what_an_event_says_is_not_believed(town: Town) -> None:
    """It is said that anna watched it; the server says that she did not."""
    plex = town.servers[0]
    seen = tell(town, plex, event(plex, "1", what=Heard.marked))
    assert [end.fate for end in seen.ended] == [Fate.done]
    assert seen.changed == seen.written == 0


def test_the_hubs_own_writes_coming_back_cause_nothing(town: Town) -> None:
    plex, jellyfin, _ = town.servers
    town.act("play", "anna", plex, "1")
    tell(town, plex, event(plex, "1"))
    writes = len(plex.writes)
    town.wait(3)
    echo = tell(town, jellyfin, event(jellyfin, "1"))
    assert (echo.queued, echo.written, len(plex.writes)) == (0, 0, writes)
    assert tell(town, plex, event(plex, "1")).queued == 0


def test_an_unlinked_login_is_kept_and_touches_nobody(town: Town) -> None:
    plex = town.servers[0]
    town.act("play", "anna", plex, "1")
    seen = tell(town, plex, event(plex, "1", user="guest"))
    assert [end.fate for end in seen.ended] == [Fate.unmatched]
    assert seen.changed == 0


def test_a_connection_of_whose_logins_nobody_is_linked_keeps_its_events(town: Town) -> None:
    plex = town.servers[0]
    town.act("play", "anna", plex, "1")
    waiting = WaitingEvent(1, 999, event(plex, "1"), town.now)
    seen = asyncio.run(observe(town.context(), [waiting]))
    assert (seen.ended[0].fate, seen.changed) == (Fate.unmatched, 0)


@pytest.mark.parametrize("what", [Heard.test, Heard.other])
def test_what_does_not_concern_the_hub_is_kept_for_nobody(town: Town, what: Heard) -> None:
    """A name that somebody tried to sign in with, music: no login to be linked, on a connection without people either."""
    failed = Event("webhook", what, "AuthenticationFailure", (), None, "root")
    waiting = WaitingEvent(1, 999, failed, town.now)
    assert asyncio.run(observe(town.context(), [waiting])).ended[0].fate is Fate.nothing
    assert tell(town, town.servers[0], failed).ended[0].fate is Fate.nothing


def test_a_login_is_found_by_id_else_by_its_very_name(town: Town) -> None:
    """Plex posts plex.tv's id, which its servers do not use. The item is read through that login's own account anyway."""
    plex = town.servers[0]
    town.act("play", "anna", plex, "1")
    item = (plex.ids["1"],)
    stranger = Event("webhook", Heard.state, "x", item, user_id="77", user_name="anna 2")
    by_name = Event("webhook", Heard.state, "x", item, user_id="77", user_name="Anna")
    assert tell(town, plex, stranger).ended[0].fate is Fate.unmatched
    assert tell(town, plex, by_name).changed == 1
    town.act("play", "kid", plex, "2")
    by_id = Event("webhook", Heard.state, "x", (plex.ids["2"],), user_id="kid", user_name="anna")
    assert tell(town, plex, by_id).changed == 1
    assert not any(cell.watched for cell in town.cells("anna", "2").values())


def test_a_login_that_has_another_id_is_known_by_it_whatever_its_name(town: Town) -> None:
    """An owner who was renamed at plex.tv; somebody who has the old name there now is another."""
    plex = town.servers[0]
    town.act("play", "anna", plex, "1")
    ctx = town.context()
    ctx = dataclasses.replace(
        ctx,
        roles={
            account: msgspec.structs.replace(role, other_ids=frozenset({"556205"}))
            if (role.connection, role.user) == (plex.name, "anna")
            else role
            for account, role in ctx.roles.items()
        },
    )
    connection = next(role.connection_id for role in town.roles.values() if role.connection == plex.name)

    def tell_of(user_id: str, name: str) -> Observation:
        told = Event("webhook", Heard.marked, "x", (plex.ids["1"],), user_id=user_id, user_name=name)
        return asyncio.run(observe(ctx, [WaitingEvent(1, connection, told, town.now)]))

    assert tell_of("777", "anna").ended[0].fate is Fate.unmatched
    assert tell_of("556205", "Anna Maria").changed == 1
    assert not any(cell.watched for cell in town.cells("kid", "1").values())


def test_an_event_without_a_login_is_asked_of_every_account(town: Town) -> None:
    plex = town.servers[0]
    town.act("play", "kid", plex, "1")
    assert tell(town, plex, event(plex, "1", user=None)).changed == 1
    assert all(cell.watched for cell in town.cells("kid", "1").values())
    assert not any(cell.watched for cell in town.cells("anna", "1").values())


def test_another_server_behind_the_same_address_is_not_ours(town: Town) -> None:
    plex = town.servers[0]
    town.act("play", "anna", plex, "1")
    stranger = Event("webhook", Heard.state, "x", (plex.ids["1"],), "anna", server_id="another")
    assert tell(town, plex, stranger).ended[0].fate is Fate.unknown


@pytest.mark.parametrize("what", [Heard.test, Heard.other])
def test_what_concerns_nobody_is_nothing(town: Town, what: Heard) -> None:
    plex = town.servers[0]
    seen = tell(town, plex, event(plex, "1", what=what))
    assert (seen.ended[0].fate, seen.to_read) == (Fate.nothing, set())


@pytest.mark.parametrize("what", [Heard.library, Heard.missed])
def test_what_no_single_reading_tells_asks_for_a_read(town: Town, what: Heard) -> None:
    plex = town.servers[0]
    seen = tell(town, plex, Event("socket", what, "x"))
    assert (seen.ended[0].fate, seen.to_read) == (Fate.nothing, {plex.name})


def test_an_item_that_no_read_has_listed_asks_for_a_read(town: Town) -> None:
    plex = town.servers[0]
    seen = tell(town, plex, Event("webhook", Heard.state, "x", ("never-seen",), "anna"))
    assert (seen.ended[0].fate, seen.to_read) == (Fate.unknown, {plex.name})


def test_playback_that_goes_on_of_an_item_that_is_not_read_asks_for_nothing_until_it_stops(
    town: Town,
) -> None:
    """A home video is told of every ten seconds for two hours: its connection is not read each time."""
    plex = town.servers[0]
    playing, stopped = (
        Event("socket", what, "x", ("home-video",), "anna") for what in (Heard.playing, Heard.stopped)
    )
    seen = tell(town, plex, playing)
    assert (seen.ended[0].fate, seen.to_read) == (Fate.unknown, set())
    assert tell(town, plex, playing, stopped).to_read == {plex.name}


def test_a_server_that_does_not_answer_is_asked_again_later(town: Town) -> None:
    plex, jellyfin, _ = town.servers
    town.act("play", "anna", plex, "1")
    plex.page_fault = "error"
    first = tell(town, plex, event(plex, "1"))
    assert first.ended[0].fate is Fate.failed
    assert (first.ended[0].again_at or 0) > town.now
    assert plex.name in first.messages[0]
    plex.page_fault = ""
    assert tell(town, plex, event(plex, "1")).written == 2
    assert jellyfin.cell("anna", "1").watched


def test_many_events_for_one_item_are_one_reading(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    plex = town.servers[0]
    asked: list[list[str]] = []
    backend = next(b for b in town.backends.values() if b.server is plex and b.user == "anna")
    fetch = backend.fetch_entries

    async def counted(ids: list[str]) -> object:
        asked.append(list(ids))
        return await fetch(ids)

    monkeypatch.setattr(backend, "fetch_entries", counted)
    seen = tell(town, plex, *[event(plex, "1", what=Heard.playing)] * 40, event(plex, "2"))
    assert asked == [[plex.ids["1"], plex.ids["2"]]]
    assert len(seen.ended) == 41


def test_an_un_play_reaches_the_others(town: Town) -> None:
    plex = town.servers[0]
    town.act("play", "anna", plex, "1")
    tell(town, plex, event(plex, "1"))
    town.wait(4_000)
    town.act("unmark", "anna", plex, "1")
    assert tell(town, plex, event(plex, "1")).written == 2
    assert not any(cell.watched for cell in town.cells("anna", "1").values())


def test_un_plays_that_come_one_by_one_are_a_mass_all_the_same(town: Town) -> None:
    """A server that forgets everything, one event after another, is stopped by the guard that stops a read of it."""
    plex, jellyfin, _ = town.servers
    for film in FILMS:
        town.act("play", "anna", plex, film)
    tell(town, plex, event(plex, *FILMS))
    town.wait(4_000)
    for film in FILMS:
        town.act("unmark", "anna", jellyfin, film)
        town.wait(2)
        tell(town, jellyfin, event(jellyfin, film))
    left = [film for film in FILMS if plex.cell("anna", film).watched]
    assert len(left) >= len(FILMS) - 6
    context = town.context()
    with context.ledger.session():
        assert [row.connection for row in context.ledger.list_held()] == [jellyfin.name]


class Known:
    """Who is who at a proxy."""

    def __init__(self, **users: str) -> None:
        self.users = users

    async def find(self, wanted: Mapping[str, int]) -> Mapping[str, RemoteUser]:
        return {c: RemoteUser(self.users[c], self.users[c]) for c in wanted if c in self.users}


def proxied(town: Town, server: ModelServer, film: str, caller: str, known: Known) -> Observation:
    seen = Event("proxy", Heard.marked, "proxy.scrobble", (server.ids[film],), caller=caller)
    connection = next(r.connection_id for r in town.roles.values() if r.connection == server.name)
    context = dataclasses.replace(town.context(), callers=known)
    return asyncio.run(observe(context, [WaitingEvent(1, connection, seen, town.now)]))


def test_a_request_at_a_proxy_is_its_callers(town: Town) -> None:
    """Only the caller's account is asked."""
    plex = town.servers[0]
    town.act("play", "anna", plex, "1")
    assert proxied(town, plex, "1", "c1", Known(c1="kid")).changed == 0
    seen = proxied(town, plex, "1", "c2", Known(c2="anna"))
    assert (seen.changed, seen.written) == (1, 2)
    assert not any(cell.watched for cell in town.cells("kid", "1").values())


def test_a_caller_whom_nobody_can_tell_costs_a_reading_of_each_account(town: Town) -> None:
    """Each for itself: the play is found, and it is nobody else's."""
    plex = town.servers[0]
    town.act("play", "anna", plex, "1")
    seen = proxied(town, plex, "1", "c1", Known())
    assert [end.fate for end in seen.ended] == [Fate.done]
    assert seen.written == 2
    assert all(cell.watched for cell in town.cells("anna", "1").values())
    assert not any(cell.watched for cell in town.cells("kid", "1").values())


def test_a_caller_to_whom_nobody_is_linked_is_kept_by_name(town: Town) -> None:
    plex = town.servers[0]
    [end] = proxied(town, plex, "1", "c1", Known(c1="guest")).ended
    assert end.fate is Fate.unmatched and end.event is not None
    assert (end.event.user_id, end.event.user_name) == ("guest", "guest")
