"""What a mark, a position and an un-play are on the wire, and what their receipts say."""

from __future__ import annotations

from typing import Any

import pytest

from playhead.adapters.jellyfin.adapter import JellyfinBackend
from playhead.adapters.jellyfin.settings import JellyfinSettings
from playhead.adapters.jellyfin.tests.scripted import (
    AT,
    DATA,
    ITEM,
    PLAYED,
    UNPLAYED,
    USER,
    connect,
    make_write,
)
from playhead.domain.state.reading import BLANK, State
from playhead.ports.backend import Outcome, Write


async def test_a_mark_is_one_request_with_the_whole_state() -> None:
    """Played, count, true date, position and favourite go together; the answer tells the state afterwards."""
    async with connect() as (script, backend):
        script.answer(f"POST {DATA}", PLAYED)
        before = State(watched=False, plays=0, position_s=300, favourite=True, rating=8.5)
        receipt = await backend.apply(
            make_write("watched", State(watched=True, plays=1, last_played=AT), before)
        )
        assert script.requests("POST") == [f"POST {DATA}"]
        assert script.last(f"POST {DATA}").query == {"userId": USER}
        assert script.last(f"POST {DATA}").json == {
            "Played": True,
            "PlayCount": 1,
            "LastPlayedDate": "2020-01-02T03:04:05Z",
            "PlaybackPositionTicks": 0,
            "IsFavorite": True,
            "Rating": 8.5,
        }
        assert (receipt.outcome, receipt.after) == (Outcome.done, State(True, 1, AT, 0))
        assert len(script.asked) == 2  # the version, once, and the mark


async def test_a_mark_without_a_date_invents_none() -> None:
    """Jellyfin can be played without a date; the present is not the date of a play."""
    async with connect() as (script, backend):
        script.answer(f"POST {DATA}", PLAYED)
        await backend.apply(make_write("watched", State(watched=True)))
        assert "LastPlayedDate" not in script.last(f"POST {DATA}").json


async def test_a_position_is_written_with_played_and_count() -> None:
    """A rewatch in the middle keeps what was watched."""
    async with connect() as (script, backend):
        script.answer(f"POST {DATA}", PLAYED)
        before = State(watched=True, plays=3, last_played=AT, position_s=0)
        await backend.apply(make_write("progress", State(position_s=600), before))
        sent = script.last(f"POST {DATA}").json
        assert (sent["Played"], sent["PlayCount"], sent["PlaybackPositionTicks"]) == (True, 3, 6_000_000_000)
        assert sent["LastPlayedDate"] == "2020-01-02T03:04:05Z"


async def test_a_position_denies_nothing_that_a_person_may_have_done_meanwhile() -> None:
    """Unplayed, zero plays and no favourite as last read are not sent: absent members stay as they are."""
    async with connect() as (script, backend):
        script.answer(f"POST {DATA}", UNPLAYED)
        before = State(watched=False, plays=0, position_s=0, favourite=False)
        await backend.apply(make_write("progress", State(watched=False, position_s=600), before))
        assert script.last(f"POST {DATA}").json == {"PlaybackPositionTicks": 6_000_000_000}


async def test_without_known_state_the_server_is_asked_before_a_write() -> None:
    """A whole state can only be written by one who knows it."""
    async with connect() as (script, backend):
        script.answer(f"GET {DATA}", {**PLAYED, "PlayCount": 4})
        script.answer(f"POST {DATA}", PLAYED)
        await backend.apply(make_write("progress", State(position_s=600), State()))
        assert script.last(f"POST {DATA}").json["PlayCount"] == 4


async def test_an_unplay_is_the_button_of_jellyfin() -> None:
    """DELETE clears the date, which no UserData write can."""
    async with connect() as (script, backend):
        script.answer(f"DELETE /UserPlayedItems/{ITEM}", UNPLAYED)
        receipt = await backend.apply(make_write("watched", State(watched=False), State(True, 1, AT, 0)))
        assert (receipt.outcome, receipt.after) == (Outcome.done, State(False, 0, None, 0, None, False))
        assert script.requests("POST") == []


async def test_an_unplay_with_a_position_puts_the_position_back() -> None:
    """DELETE clears it, so it follows as a second write, unplayed."""
    async with connect() as (script, backend):
        script.answer(f"DELETE /UserPlayedItems/{ITEM}", UNPLAYED)
        script.answer(f"POST {DATA}", {**UNPLAYED, "PlaybackPositionTicks": 6_000_000_000})
        target = State(watched=False, position_s=600)
        receipt = await backend.apply(make_write("watched progress", target, State(True, 1, AT, 0)))
        assert script.last(f"POST {DATA}").json == {"PlaybackPositionTicks": 6_000_000_000}
        assert receipt.after is not None
        assert receipt.after.position_s == 600


@pytest.mark.parametrize(
    ("status", "outcome", "code"),
    [
        (404, Outcome.missing, "not-found"),
        (401, Outcome.refused, "unauthorized"),
        (403, Outcome.refused, "unauthorized"),
        (400, Outcome.refused, "refused"),
        (429, Outcome.failed, "rate-limited"),
    ],
)
async def test_a_refused_write_is_told_in_its_receipt(status: int, outcome: Outcome, code: str) -> None:
    """No error escapes from apply; the receipt says what to do next."""
    async with connect() as (script, backend):
        script.answer(f"POST {DATA}", "no", status=status, headers={"Retry-After": "7"})
        receipt = await backend.apply(make_write("watched", State(watched=True, last_played=AT)))
        assert (receipt.outcome, receipt.error_code) == (outcome, code)
        assert receipt.retry_after_s == (7 if status == 429 else None)
        assert receipt.message


@pytest.mark.parametrize("failure", [{"status": 500}, {"body": ...}, {"body": "<html>"}])
@pytest.mark.parametrize(
    ("found", "outcome"), [(PLAYED, Outcome.done), (UNPLAYED, Outcome.failed), (None, Outcome.unsure)]
)
async def test_a_write_that_broke_off_is_looked_at(
    failure: dict[str, Any], found: Any, outcome: Outcome
) -> None:
    """After a 5xx, a cut connection or an unreadable answer the state is read before the receipt is given."""
    async with connect() as (script, backend):
        script.answer(f"POST {DATA}", **failure)
        script.answer(f"GET {DATA}", found, status=200 if found else 500)
        receipt = await backend.apply(make_write("watched", State(watched=True, plays=1, last_played=AT)))
        assert receipt.outcome is outcome
        assert len(script.requests("POST")) == 1


async def test_a_dead_server_fails_a_write_without_an_error() -> None:
    """Nothing listens: the write may work later."""
    backend = JellyfinBackend(JellyfinSettings(url="http://127.0.0.1:9"), "t", USER, client_id="c")
    backend._client.http._read_attempts = 1
    receipt = await backend.apply(make_write("watched", State(watched=True)))
    assert (receipt.outcome, receipt.error_code) == (Outcome.failed, "unreachable")
    await backend.close()


async def test_an_id_that_is_none_is_missing_and_not_sent() -> None:
    """Jellyfin would answer 400, and `ids=nope` with the root of the library."""
    async with connect() as (script, backend):
        receipt = await backend.apply(
            Write("nope", "movie", frozenset({"watched"}), State(watched=True), BLANK)
        )
        assert receipt.outcome is Outcome.missing
        assert await backend.fetch_entries(["nope"]) == []
        assert script.asked == []


async def test_10_8_takes_marks_but_no_positions() -> None:
    """It has no UserData route; repeating a mark with a date would count a play more, so it looks first."""
    async with connect(version="10.8.13") as (script, backend):
        route, single = f"POST /Users/{USER}/PlayedItems/{ITEM}", f"GET /Users/{USER}/Items/{ITEM}"
        script.answer(route, PLAYED)
        script.answer(single, {"Id": ITEM, "UserData": UNPLAYED})
        script.answer(single, {"Id": ITEM, "UserData": {**PLAYED, "PlaybackPositionTicks": 6_000_000_000}})
        mark = make_write("watched", State(watched=True, last_played=AT))
        assert (await backend.apply(mark)).outcome is Outcome.done
        assert script.last(route).query == {"datePlayed": "20200102030405"}
        assert (await backend.apply(mark)).outcome is Outcome.done
        assert script.requests("POST") == [route]
        for position_s in (0, 600):
            wish = make_write("progress", State(watched=True, last_played=AT, position_s=position_s))
            refused = await backend.apply(wish)
            assert (refused.outcome, refused.error_code) == (Outcome.refused, "too-old")
        assert script.requests("POST") == [route]
