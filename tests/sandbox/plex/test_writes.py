"""Every write of watch state on the emulated Plex, with its side effects (facts, api-plex.md 3)."""

from __future__ import annotations

import aiohttp
import pytest

from playhead.sandbox.run import SandboxHandle
from tests.sandbox.plex.conftest import Client
from tests.sandbox.plex.worlds import E1, E2, E3, HOME, LEGACY, MATRIX, NOW, SHOW

STATE = ("viewCount", "viewOffset", "lastViewedAt", "userRating", "lastRatedAt")


async def told(client: Client, key: int) -> dict[str, object]:
    """The state fields that are there at all."""
    entry = await client.entry(key)
    return {name: entry[name] for name in STATE if name in entry}


async def test_absent_means_none(alice: Client) -> None:
    """Nothing watched: no field of state, no zero, no null; what the world says is told."""
    assert await told(alice, MATRIX) == {}
    assert await told(alice, LEGACY) == {
        "viewCount": 2,
        "lastViewedAt": 1_690_000_000,
        "userRating": 7.5,
        "lastRatedAt": 1_690_000_000,
    }


async def test_scrobble_counts_each_time_and_stamps_now(alice: Client, box: SandboxHandle) -> None:
    """Twice marked is two plays; the date is the server's own."""
    assert await alice.write("scrobble", MATRIX) == 200
    assert await told(alice, MATRIX) == {"viewCount": 1, "lastViewedAt": NOW}
    box.clock.freeze(NOW + 60)
    await alice.write("scrobble", MATRIX)
    assert await told(alice, MATRIX) == {"viewCount": 2, "lastViewedAt": NOW + 60}


async def test_scrobble_clears_progress_and_unscrobble_leaves_only_the_rating(alice: Client) -> None:
    """Unscrobble leaves no trace but absence."""
    await alice.write("progress", MATRIX, time=600_000, state="stopped")
    assert (await told(alice, MATRIX))["viewOffset"] == 600_000
    await alice.write("scrobble", MATRIX)
    assert "viewOffset" not in await told(alice, MATRIX)
    await alice.write("rate", MATRIX, rating=8)
    await alice.write("unscrobble", MATRIX)
    assert await told(alice, MATRIX) == {"userRating": 8, "lastRatedAt": NOW}


async def test_updated_at_does_not_move(alice: Client) -> None:
    """It is a time of metadata."""
    before = (await alice.entry(MATRIX))["updatedAt"]
    await alice.write("scrobble", MATRIX)
    assert (await alice.entry(MATRIX))["updatedAt"] == before


async def test_marking_a_show_marks_its_leaves(alice: Client) -> None:
    """All episodes count one; unmarking takes all."""
    await alice.write("scrobble", SHOW)
    assert (await alice.entry(SHOW))["viewedLeafCount"] == 4
    assert (await told(alice, E3))["viewCount"] == 1
    await alice.write("unscrobble", SHOW)
    assert (await alice.entry(SHOW))["viewedLeafCount"] == 0
    assert await told(alice, E3) == {}


async def test_each_account_has_its_own_state(alice: Client, bob: Client) -> None:
    """A mark of one is nothing to the other."""
    await alice.write("scrobble", MATRIX)
    assert await told(bob, MATRIX) == {}


async def test_two_libraries_share_state_by_guid(alice: Client) -> None:
    """The same plex:// guid is one state."""
    guid = (await alice.entry(MATRIX))["guid"]
    both = [int(e["ratingKey"]) for e in (await alice.container("/library/all", f"guid={guid}"))["Metadata"]]
    [other] = [key for key in both if key != MATRIX]
    await alice.write("scrobble", MATRIX)
    assert (await told(alice, other))["viewCount"] == 1


async def test_one_half_of_a_file_leaves_the_other_alone(alice: Client) -> None:
    """Watching marks only the item played."""
    await alice.write("scrobble", E1)
    assert await told(alice, E2) == {}


@pytest.mark.parametrize("offset", [0, 30_000, 59_999])
async def test_progress_below_a_minute_is_not_kept(alice: Client, offset: int) -> None:
    """MinimumProgressTime; time 0 has no effect either."""
    await alice.write("progress", MATRIX, time=120_000, state="stopped")
    await alice.write("progress", MATRIX, time=offset, state="stopped")
    assert (await told(alice, MATRIX))["viewOffset"] == 120_000


async def test_mere_progress_sets_the_date(alice: Client) -> None:
    """lastViewedAt without viewCount: not watched."""
    await alice.write("progress", MATRIX, time=70_000, state="stopped")
    assert await told(alice, MATRIX) == {"viewOffset": 70_000, "lastViewedAt": NOW}


async def test_past_ninety_percent_is_watched_once(alice: Client) -> None:
    """The offset goes, the count grows by one for the session, the history has the play."""
    for offset in (7_000_000, 7_400_000, 7_500_000, 7_600_000):
        response = await alice.ask(
            "/:/timeline",
            f"ratingKey={MATRIX}&key=/library/metadata/{MATRIX}&state=playing&time={offset}&duration=8160000",
            method="POST",
        )
        assert response.status == 200
    assert await told(alice, MATRIX) == {"viewCount": 1, "lastViewedAt": NOW}
    rows = (await alice.container("/status/sessions/history/all", f"metadataItemID={MATRIX}"))["Metadata"]
    assert [(row["ratingKey"], row["viewedAt"], row["accountID"]) for row in rows] == [(str(MATRIX), NOW, 1)]


async def test_the_timeline_goes_backwards_and_rewatches(alice: Client) -> None:
    """A watched item gains an offset, exactly as told, and keeps its count; the answer says the state."""
    query = "ratingKey={}&key=/library/metadata/{}&state=stopped&time={}&duration=3600000"
    await alice.container("/:/timeline", query.format(LEGACY, LEGACY, 200_000), method="POST")
    body = await alice.container("/:/timeline", query.format(LEGACY, LEGACY, 120_000), method="POST")
    assert body == {
        "playbackState": "progress",
        "size": 0,
        "skipCount": 0,
        "viewCount": 2,
        "viewOffset": 120_000,
    }
    assert (await told(alice, LEGACY))["viewOffset"] == 120_000


async def test_an_offline_report_tells_when_it_was(alice: Client) -> None:
    """offline=1&updated= is the date of the view."""
    query = f"ratingKey={MATRIX}&key=/library/metadata/{MATRIX}&state=stopped&time=300000&offline=1&updated=1650000000"
    await alice.container("/:/timeline", query, method="POST")
    assert (await told(alice, MATRIX))["lastViewedAt"] == 1_650_000_000


async def test_the_timeline_needs_a_client(alice: Client) -> None:
    """Without X-Plex-Client-Identifier 400."""
    response = await alice.ask(
        "/:/timeline",
        f"ratingKey={MATRIX}&state=stopped&time=1",
        method="GET",
        headers={"X-Plex-Client-Identifier": ""},
    )
    assert response.status == 400


async def test_rating(alice: Client) -> None:
    """0 is a rating, -1 clears, half stars stay, a date in the future and other numbers are refused."""
    for rating, kept in ((0, 0), (7, 7), (7.9, 7.9)):
        assert await alice.write("rate", MATRIX, rating=rating) == 200
        assert (await told(alice, MATRIX))["userRating"] == kept
    assert await alice.write("rate", MATRIX, rating=5, ratedAt=NOW - 5) == 200
    assert (await told(alice, MATRIX))["lastRatedAt"] == NOW - 5
    assert await alice.write("rate", MATRIX, rating=-1) == 200
    assert await told(alice, MATRIX) == {}
    response = await alice.ask(
        "/:/rate", f"identifier=x&key={MATRIX}&rating=5&ratedAt={NOW + 60}", method="PUT"
    )
    assert response.status == 400


async def test_refused_writes(alice: Client, kid: Client) -> None:
    """Missing arguments 400, unknown items 404, items that are not shared 403; all as HTML."""
    assert (await alice.ask("/:/scrobble", "identifier=x", method="PUT")).status == 400
    assert await alice.write("scrobble", 99999) == 404
    assert await kid.write("scrobble", E1) == 403
    assert await told(alice, E1) == {}


async def test_put_does_what_get_does(alice: Client) -> None:
    """And ``uri`` names an item as well as ``key``."""
    uri = f"server://x/com.plexapp.plugins.library/library/metadata/{MATRIX}"
    assert (await alice.ask("/:/scrobble", f"identifier=x&uri={uri}", method="PUT")).status == 200
    assert (await told(alice, MATRIX))["viewCount"] == 1


async def test_marks_leave_no_history(alice: Client, bob: Client, box: SandboxHandle) -> None:
    """History is of plays alone; the owner sees everybody's, others their own; rows have no guid and no count."""
    await bob.write("scrobble", MATRIX)
    box.server("plex").act("bob", "e1", "play", at=NOW - 10, args={})
    rows = (await alice.container("/status/sessions/history/all", "sort=viewedAt:desc"))["Metadata"]
    assert [(row["title"], row["viewedAt"]) for row in rows] == [
        ("Part 1", NOW - 10),
        ("Legacy", 1_690_000_000),
    ]
    assert rows[0]["librarySectionID"] == "3"
    assert not {"guid", "viewCount"} & set(rows[0])
    own = await bob.container("/status/sessions/history/all", "sort=viewedAt:desc&X-Plex-Container-Size=5")
    assert (own["totalSize"], [row["title"] for row in own["Metadata"]]) == (1, ["Part 1"])
    one = await alice.container("/status/sessions/history/all", f"metadataItemID={SHOW}")
    assert [row["ratingKey"] for row in one["Metadata"]] == [str(E1)]
    assert (await alice.container("/status/sessions/history/all", f"viewedAt%3E={NOW}")).get(
        "Metadata"
    ) is None


async def test_accounts_and_sessions(alice: Client, bob: Client) -> None:
    """Id 0 is nobody, 1 the owner; sessions are empty; both are the owner's."""
    accounts = (await alice.container("/accounts"))["Account"]
    assert [(row["id"], row["name"]) for row in accounts[:2]] == [(0, ""), (1, "alice")]
    assert {row["name"] for row in accounts} == {"", "alice", "bob", "kid"}
    assert await alice.container("/status/sessions") == {"size": 0}
    assert (await bob.ask("/accounts")).status == 403


async def test_preferences(alice: Client) -> None:
    """The minimum progress time is told where clients look for it."""
    settings = {row["id"]: row["value"] for row in (await alice.container("/:/prefs"))["Setting"]}
    assert settings["MinimumProgressTime"] == 60_000


async def test_home_is_untouched_by_marks_of_others(alice: Client) -> None:
    """A local item is an item like others while it stays."""
    await alice.write("scrobble", HOME)
    assert (await told(alice, HOME))["viewCount"] == 1


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_form_counts_as_the_query(alice: Client, box: SandboxHandle, method: str) -> None:
    """Some apps send their arguments so; where both say something the query counts."""
    form = {"key": str(MATRIX), "identifier": "com.plexapp.plugins.library"}
    async with aiohttp.ClientSession(box.url("plex"), headers={"X-Plex-Token": alice.token}) as session:
        for path in ("/:/scrobble", f"/:/unscrobble?key={LEGACY}"):
            async with session.request(method, path, data=form) as answer:
                assert answer.status == 200
    assert (await told(alice, MATRIX))["viewCount"] == 1
    assert "viewCount" not in await told(alice, LEGACY)
