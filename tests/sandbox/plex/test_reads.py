"""Lists and details of the emulated Plex: what is there, what is absent, how pages and filters behave."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec
import pytest

from playhead.sandbox.run import SandboxHandle, run_world
from tests.sandbox.plex.conftest import Client
from tests.sandbox.plex.worlds import (
    E1,
    E2,
    E3,
    HOME,
    LEGACY,
    MATRIX,
    NOW,
    OLD_E1,
    OLD_SHOW,
    SHOW,
    make_world,
)


def keys(container: dict[str, Any]) -> list[int]:
    return [int(entry["ratingKey"]) for entry in container.get("Metadata", [])]


async def test_identity_needs_no_token_and_all_else_does(alice: Client) -> None:
    """401 is HTML although JSON was asked; /identity answers anybody."""
    alice.token = "wrong"
    identity = await alice.container("/identity")
    assert (len(identity["machineIdentifier"]), identity["version"]) == (40, "1.43.3")
    response = await alice.ask("/library/sections")
    assert response.status == 401
    assert response.headers["Content-Type"].startswith("text/html")
    assert b"<h1>401 Unauthorized</h1>" in response.body


async def test_root_and_sections(alice: Client, kid: Client) -> None:
    """The capabilities; the libraries in order; a shared account sees only what is shared with it."""
    root = await alice.container("/")
    assert (root["friendlyName"], root["myPlexUsername"]) == ("plex", "alice")
    sections = (await alice.container("/library/sections"))["Directory"]
    assert [(s["key"], s["type"], s["title"]) for s in sections] == [
        ("1", "movie", "Movies"),
        ("2", "movie", "4K"),
        ("3", "show", "Shows"),
    ]
    assert sections[0]["Location"] == [{"id": 1, "path": "/data/movies"}]
    assert [s["title"] for s in (await kid.container("/library/sections"))["Directory"]] == ["Movies"]
    assert (await kid.ask("/library/sections/3/all")).status == 403
    assert (await kid.ask(f"/library/metadata/{E1}")).status == 403


async def test_totals_are_told_only_when_paged(alice: Client) -> None:
    """Without paging no totalSize and no offset, and everything; size 0 gives the total alone."""
    whole = await alice.container("/library/sections/1/all", "type=1")
    assert (whole["size"], "totalSize" in whole, "offset" in whole) == (3, False, False)
    page = await alice.container(
        "/library/sections/1/all", "X-Plex-Container-Start=1&X-Plex-Container-Size=1"
    )
    assert (page["size"], page["totalSize"], page["offset"]) == (1, 3, 1)
    by_header = {"X-Plex-Container-Start": "0", "X-Plex-Container-Size": "0"}
    none = await alice.container("/library/sections/1/all", headers=by_header)
    assert (none["size"], none["totalSize"], "Metadata" in none) == (0, 3, False)
    response = await alice.ask("/library/sections/1/all", headers=by_header)
    assert response.headers["X-Plex-Container-Total-Size"] == "3"


async def test_pages_put_together_are_the_whole(alice: Client) -> None:
    """The order does not change from page to page; by title without articles when none is asked."""
    whole = keys(await alice.container("/library/sections/3/all", "type=4"))
    pages: list[int] = []
    for start in range(0, 6, 2):
        query = f"type=4&X-Plex-Container-Start={start}&X-Plex-Container-Size=2"
        pages += keys(await alice.container("/library/sections/3/all", query))
    assert pages == whole
    assert whole[:4] == [OLD_E1, E1, E2, E3]
    assert keys(await alice.container("/library/sections/1/all")) == [HOME, LEGACY, MATRIX]
    assert keys(await alice.container("/library/sections/1/all", "sort=addedAt:desc"))[0] == HOME


async def test_guid_lists_come_when_asked_and_always_in_details(alice: Client) -> None:
    """Lists need includeGuids; legacy, local and numbers-only items have none at all."""
    [plain] = [
        e
        for e in (await alice.container("/library/sections/1/all"))["Metadata"]
        if e["ratingKey"] == str(MATRIX)
    ]
    assert "Guid" not in plain
    listed = (await alice.container("/library/sections/1/all", "includeGuids=1"))["Metadata"]
    guids = {int(e["ratingKey"]): (e["guid"], [g["id"] for g in e.get("Guid", [])]) for e in listed}
    assert guids[MATRIX][1] == ["imdb://tt0133093", "tmdb://603"]
    assert guids[MATRIX][0].startswith("plex://movie/")
    assert guids[LEGACY] == ("com.plexapp.agents.imdb://tt0080684?lang=en", [])
    assert guids[HOME] == (f"local://{HOME}", [])
    assert (await alice.entry(E1))["Guid"] == [{"id": "imdb://tt0901"}, {"id": "tvdb://901"}]
    assert "Guid" not in await alice.entry(E3)


async def test_legacy_shows_give_their_form_to_seasons_and_episodes(alice: Client) -> None:
    """thetvdb://show/season/episode, as the old agent writes them."""
    episode = await alice.entry(OLD_E1)
    assert episode["guid"] == "com.plexapp.agents.thetvdb://76703/1/1?lang=en"
    assert episode["parentGuid"] == "com.plexapp.agents.thetvdb://76703/1?lang=en"
    assert episode["grandparentGuid"] == "com.plexapp.agents.thetvdb://76703?lang=en"


async def test_a_file_of_two_episodes_is_two_items(alice: Client) -> None:
    """Own keys and numbers, one path, the length of the file."""
    first, second = await alice.entry(E1), await alice.entry(E2)
    paths = {e["Media"][0]["Part"][0]["file"] for e in (first, second)}
    assert paths == {"/data/shows/The Show (2008)/Season 01/The Show - S01E01-E02 - Part 1.mkv"}
    assert (first["index"], second["index"], first["duration"]) == (1, 2, 3_600_000)


async def test_two_versions_and_two_libraries(alice: Client) -> None:
    """Versions are Media of one item; the other library has another item of the same guid."""
    entry = await alice.entry(MATRIX)
    assert len(entry["Media"]) == 2
    same = await alice.container("/library/all", f"guid={entry['guid']}")
    assert {e["librarySectionTitle"] for e in same["Metadata"]} == {"Movies", "4K"}
    assert len(set(keys(same))) == 2


async def test_show_season_and_leaves(alice: Client) -> None:
    """Counts of leaves and of watched ones; children and allLeaves."""
    show = await alice.entry(SHOW)
    assert (show["leafCount"], show["viewedLeafCount"], show["childCount"]) == (4, 0, 2)
    assert show["key"] == f"/library/metadata/{SHOW}/children"
    seasons = await alice.container(f"/library/metadata/{SHOW}/children")
    assert [e["title"] for e in seasons["Metadata"]] == ["Season 1", "Season 2"]
    assert "librarySectionID" not in seasons["Metadata"][0]
    leaves = await alice.container(f"/library/metadata/{SHOW}/allLeaves")
    assert [(e["parentIndex"], e["index"]) for e in leaves["Metadata"]] == [(1, 1), (1, 2), (1, 3), (2, 1)]


async def test_details_of_several_give_those_that_exist(alice: Client) -> None:
    """The found subset with 200, 404 as HTML only when none exists."""
    assert keys(await alice.container(f"/library/metadata/{MATRIX},99999,{E1}")) == [MATRIX, E1]
    response = await alice.ask("/library/metadata/99999,99998")
    assert (response.status, response.headers["Content-Type"].split(";")[0]) == (404, "text/html")


async def test_unwatched_is_honoured_and_unknown_fields_are_not(alice: Client) -> None:
    """unwatched=0 and 1, inProgress; a misspelt field and any cutoff give the whole list (1.43.3)."""
    all_movies = "/library/sections/1/all"
    assert keys(await alice.container(all_movies, "unwatched=0")) == [LEGACY]
    assert keys(await alice.container(all_movies, "unwatched=1")) == [HOME, MATRIX]
    assert len(keys(await alice.container("/library/sections/3/all", "type=4&inProgress=1"))) == 1
    for query in (
        "nonsense=1",
        "lastViewedAt%3E%3E=1800000000",
        "lastViewedAt>=1800000000",
        "year%3E%3E=2020",
    ):
        assert len(keys(await alice.container(all_movies, query))) == 3
    assert keys(await alice.container(all_movies, "lastViewedAt=1690000000")) == [LEGACY]
    assert keys(await alice.container(all_movies, "lastViewedAt%3E=")) == []


async def test_the_quirk_turns_date_filters_on(session: aiohttp.ClientSession) -> None:
    """With date_filters the same query narrows, as other versions are said to do."""
    async with run_world(make_world(date_filters=True)) as box:
        alice = Client(session, box.url("plex"), box.token("plex", "alice"))
        container = await alice.container("/library/sections/1/all", "lastViewedAt%3E%3E=1600000000")
        assert keys(container) == [LEGACY]


async def test_newest_views_first(alice: Client, box: SandboxHandle) -> None:
    """sort=lastViewedAt:desc works and follows a play at once."""
    box.server("plex").act("alice", "home", "play", at=NOW, args={})
    listed = keys(await alice.container("/library/sections/1/all", "sort=lastViewedAt:desc&unwatched=0"))
    assert listed == [HOME, LEGACY]


async def test_a_show_list_misses_shows_that_were_only_marked(alice: Client) -> None:
    """unwatched=0 on shows goes by the show's own row, as recorded."""
    query = "type=2&unwatched=0"
    assert await alice.write("scrobble", OLD_E1) == 200
    assert keys(await alice.container("/library/sections/3/all", query)) == []
    assert keys(await alice.container("/library/sections/3/all", "type=4&unwatched=0")) == [OLD_E1]


async def test_a_show_that_was_played_is_listed(alice: Client, box: SandboxHandle) -> None:
    """A play leaves a row at the show: plays, not watched leaves."""
    box.server("plex").act("alice", "old1", "play", at=NOW, args={})
    assert keys(await alice.container("/library/sections/3/all", "type=2&unwatched=0")) == [OLD_SHOW]
    assert (await alice.entry(OLD_SHOW))["viewCount"] == 1


async def test_answers_can_be_trimmed(alice: Client) -> None:
    """excludeElements and excludeFields drop; includeFields means "only these" from API version 1.0 on."""
    query = "excludeElements=Media&excludeFields=summary,art"
    entry = (await alice.container("/library/sections/1/all", query))["Metadata"][0]
    assert not {"Media", "summary", "art"} & set(entry)
    assert "title" in entry
    newer = {"X-Plex-Pms-Api-Version": "1.0.0"}
    entry = (await alice.container("/library/sections/1/all", "includeFields=title", headers=newer))[
        "Metadata"
    ][0]
    assert set(entry) == {"title", "Media"}
    older = (await alice.container("/library/sections/1/all", "includeFields=title"))["Metadata"][0]
    assert "guid" in older


async def test_on_deck_recently_added_and_search(alice: Client) -> None:
    """In progress first, then the next of a show begun; newest first; by words of the title."""
    assert [e["title"] for e in (await alice.container("/library/onDeck"))["Metadata"]] == ["Part 4"]
    await alice.write("scrobble", E1)
    assert [e["title"] for e in (await alice.container("/library/onDeck"))["Metadata"]] == ["Part 4"]
    assert HOME in keys(await alice.container("/library/recentlyAdded"))
    assert keys(await alice.container("/library/sections/1/search", "query=matr")) == [MATRIX]


async def test_xml_is_the_default_and_says_the_same(alice: Client) -> None:
    """Video and Directory by type, booleans as digits."""
    response = await alice.ask("/library/sections/3/all", "type=4", accept="*/*")
    text = response.body.decode()
    assert response.headers["Content-Type"].startswith("text/xml")
    assert text.count("<Video ") == 5
    assert 'allowSync="1"' in text


@pytest.mark.parametrize(
    "path", ["/nothing", "/library/sections/9/all", "/library/sections/x/all", "/library/metadata/abc"]
)
async def test_what_is_not_there_is_a_page_of_404(alice: Client, path: str) -> None:
    """Unknown routes, sections and keys."""
    response = await alice.ask(path)
    assert response.status == 404
    assert b"404 Not Found" in response.body


async def test_rich_bodies_are_as_large_as_real_ones(session: aiohttp.ClientSession) -> None:
    """About 2.4 kB for an episode, and still right JSON."""
    async with run_world(make_world(rich=True)) as box:
        alice = Client(session, box.url("plex"), box.token("plex", "alice"))
        container = await alice.container("/library/sections/3/all", "type=4&includeGuids=1")
    size = len(msgspec.json.encode(container["Metadata"])) / len(container["Metadata"])
    assert 2000 < size < 3000
