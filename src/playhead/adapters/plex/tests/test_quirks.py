"""Libraries as they really are, on the emulated server: old agents, local items, versions, shared files, two libraries."""

from __future__ import annotations

from playhead.adapters.plex import manifest
from playhead.ports.backend import Entry, Listing, ShowEntry
from playhead.sandbox.world import (
    Placement,
    World,
    WorldItem,
    WorldLibrary,
    WorldServer,
    WorldState,
    WorldUser,
)
from tests.contract.rig import Rig, open_rig, read_entries, read_pages, wish
from tests.contract.world import ANNA, SERVER

FILM = WorldItem(id="film", type="movie", title="Film", year=1999, ids={"imdb": "tt0133093", "tmdb": "603"})
HOME = WorldItem(id="home", type="movie", title="Holiday", year=2020, ids={"tmdb": "5"})
SHOW = WorldItem(id="show", type="show", title="Show", ids={"tvdb": "268592"})
EPISODES = [
    WorldItem(
        id=f"e{n}",
        type="episode",
        title=f"Part {n}",
        show="show",
        season=1,
        episode=n,
        ids={"tvdb": str(500 + n)},
    )
    for n in (1, 2)
]


def _world(*placements: Placement, state: list[WorldState] | None = None) -> World:
    server = WorldServer(
        name=SERVER,
        kind="plex",
        users=[WorldUser(name=ANNA, state=state or [])],
        libraries=[
            WorldLibrary(title="Films", kind="movies", root="/films"),
            WorldLibrary(title="More films", kind="movies", root="/more"),
            WorldLibrary(title="Series", kind="shows", root="/series"),
        ],
        placements=list(placements),
    )
    return World(items=[FILM, HOME, SHOW, *EPISODES], servers=[server], now=1_790_000_000)


async def _read(world: World) -> tuple[list[Entry], list[ShowEntry]]:
    async with open_rig(manifest, world) as rig:
        return await read_entries(rig.connect()), await _read_shows(rig)


async def _read_shows(rig: Rig) -> list[ShowEntry]:
    backend = rig.connect()
    shows: list[ShowEntry] = []
    for library in await backend.list_libraries():
        for listing in backend.plan_listings(library, lean=False):
            for page in await read_pages(backend, Listing(listing.library_id, listing.what), 10):
                shows.extend(backend.decode_page(page).shows)
    return shows


async def test_legacy_agents_are_known_by_their_guids() -> None:
    """The film by its own id, the episodes by the show's id and their numbers."""
    entries, shows = await _read(
        _world(
            Placement(item="film", guid="com.plexapp.agents.imdb://tt0133093?lang=en"),
            Placement(item="show", guid="com.plexapp.agents.thetvdb://268592?lang=en"),
        )
    )
    film = next(entry for entry in entries if entry.title == "Film")
    assert film.claims == ("imdb:movie:tt0133093",)
    assert film.state_key == "com.plexapp.agents.imdb://tt0133093?lang=en"
    assert [show.claims for show in shows] == [("tvdb:show:268592",)]
    episodes = [entry for entry in entries if entry.kind == "episode"]
    assert {(entry.season, entry.episode, entry.claims) for entry in episodes} == {(1, 1, ()), (1, 2, ())}
    assert {entry.show_id for entry in episodes} == {shows[0].native_id}


async def test_hama_and_nfo_shows_are_known() -> None:
    """HAMA by the database it names, NFO by the id in its path."""
    for guid, claim in (
        ("com.plexapp.agents.hama://anidb-17061?lang=en", "anidb:show:17061"),
        ("tv.plex.agents.nfo.series://show/tvdb_268592", "tvdb:show:268592"),
    ):
        _, shows = await _read(_world(Placement(item="show", guid=guid)))
        assert [show.claims for show in shows] == [(claim,)]


async def test_a_local_item_has_state_of_its_own() -> None:
    """No claims and no shared key, but a file by which it can be found."""
    entries, _ = await _read(_world(Placement(item="home", guid="local://7001")))
    home = next(entry for entry in entries if entry.title == "Holiday")
    assert (home.claims, home.state_key) == ((), None)
    assert home.files


async def test_two_libraries_share_one_state() -> None:
    """The same guid twice: two entries with one state key; a mark on one shows on both and counts once."""
    world = _world(Placement(item="film", library="Films"), Placement(item="film", library="More films"))
    async with open_rig(manifest, world) as rig:
        backend = rig.connect()
        films = [entry for entry in await read_entries(backend) if entry.title == "Film"]
        assert len({entry.native_id for entry in films}) == 2
        assert len({entry.state_key for entry in films}) == 1
        for film in films:
            await backend.apply(wish(film, "watched", watched=True, plays=1, position_s=0))
        after = [entry for entry in await read_entries(backend) if entry.title == "Film"]
        assert [(entry.watched, entry.plays) for entry in after] == [(True, 1), (True, 1)]


async def test_versions_are_one_item_with_several_files() -> None:
    """Two files of one film."""
    entries, _ = await _read(_world(Placement(item="film", versions=2)))
    (film,) = [entry for entry in entries if entry.title == "Film"]
    assert len(film.files) == 2


async def test_a_file_of_two_episodes_is_two_entries_with_one_file() -> None:
    """Each has its own key and state; the file is the same."""
    world = _world(Placement(item="e1", with_next=1), state=[WorldState(item="e1", watched=True, plays=1)])
    entries, _ = await _read(world)
    episodes = sorted(
        (entry for entry in entries if entry.kind == "episode"), key=lambda entry: entry.episode or 0
    )
    assert [entry.episode for entry in episodes] == [1, 2]
    assert episodes[0].files == episodes[1].files
    assert [entry.watched for entry in episodes] == [True, False]
    assert all(entry.episode_end is None for entry in episodes)
