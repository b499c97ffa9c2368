"""Every kind of write on every kind of earlier state, for both servers: what was wished, what is kept, what is told.

Knows the sandbox and the port, no adapter; an adapter's test hands its backend over.
"""

from __future__ import annotations

import msgspec

from playhead.domain.state.reading import State
from playhead.ports.backend import Backend, Entry, Outcome, Write
from playhead.sandbox.run import SandboxHandle
from playhead.sandbox.world import World, WorldItem, WorldLibrary, WorldServer, WorldState, WorldUser

NOW, AT, LATER = 1_790_000_000, 1_780_000_000, 1_785_000_000

BEFORE = {
    "never": WorldState(item="film"),
    "watched": WorldState(item="film", watched=True, plays=3, last_played=AT, favourite=True),
    "undated": WorldState(item="film", watched=True, plays=1),
    "midway": WorldState(item="film", plays=1, last_played=AT, position_s=600),
    "rewatching": WorldState(
        item="film", watched=True, plays=3, last_played=AT, position_s=600, favourite=True
    ),
}
WRITES: dict[str, tuple[str, State]] = {
    "mark": ("watched", State(watched=True, plays=1, last_played=LATER)),
    "mark undated": ("watched", State(watched=True)),
    "second play": ("watched", State(watched=True, plays=4, last_played=LATER)),
    "unmark": ("watched", State(watched=False, plays=0, position_s=0)),
    "progress": ("progress", State(position_s=1800)),
    "clear progress": ("progress", State(position_s=0)),
    "mark and progress": (
        "watched progress",
        State(watched=True, plays=1, last_played=LATER, position_s=1800),
    ),
    "unmark and progress": ("watched progress", State(watched=False, position_s=1800)),
}


def make_world(kind: str, version: str, before: str) -> World:
    """One film with one state."""
    return World(
        now=NOW,
        items=[
            WorldItem(id="film", type="movie", title="Film", year=1999, ids={"tmdb": "603"}, duration_s=7200)
        ],
        servers=[
            WorldServer(
                name="home",
                kind=kind,  # type: ignore[arg-type]
                version=version,
                users=[WorldUser(name="anna", admin=True, state=[BEFORE[before]])],
                libraries=[WorldLibrary(title="Films", kind="movies", root="/media/films")],
            )
        ],
    )


async def check_write(box: SandboxHandle, backend: Backend, before: str, name: str) -> None:
    """Carry the write out, and compare the wish, the receipt, the server's own state and a fresh read."""
    facets, target = WRITES[name]
    entry = await _find(backend)
    known = _state_of(entry)
    write = Write(entry.native_id, "movie", frozenset(facets.split()), target, known, entry.runtime_s)
    receipt = await backend.apply(write)
    (row,) = box.server("home").state_rows("anna")
    (fresh,) = await backend.fetch_entries([entry.native_id])

    assert (fresh.media_key, fresh.files, fresh.claims) == (entry.media_key, entry.files, entry.claims)
    assert receipt.outcome is Outcome.done, receipt
    assert receipt.after == _state_of(fresh), "the receipt tells what a read tells"
    assert row.watched is (known.watched if target.watched is None else target.watched)
    assert row.favourite is BEFORE[before].favourite
    if "progress" in facets or name == "unmark" or not known.watched:
        assert row.position_s == (target.position_s if target.position_s is not None else 0)
    if row.watched:
        assert row.plays == max(known.plays or 0, target.plays or 0, 1)
        assert row.last_played == (target.last_played or BEFORE[before].last_played)
    elif target.watched is False:
        assert (row.plays, row.last_played) == (0, None)
        assert fresh.unplayed is (row.position_s == 0)
    again = await backend.apply(msgspec.structs.replace(write, before=_state_of(fresh)))
    assert again.outcome is Outcome.done
    assert box.server("home").state_rows("anna") == [row], "the same write twice changes nothing"


async def _find(backend: Backend) -> Entry:
    (library,) = await backend.list_libraries()
    (listing,) = backend.plan_listings(library, lean=False)
    (entry,) = backend.decode_page(await backend.fetch_page(listing, 0, 10)).entries
    return entry


def _state_of(entry: Entry) -> State:
    return State(
        entry.watched, entry.plays, entry.last_played, entry.position_s, entry.rating, entry.favourite
    )
