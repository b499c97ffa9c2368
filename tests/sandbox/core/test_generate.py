"""Generated worlds: the same for a seed, of the size asked, full of ordinary oddities, without contradictions."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from playhead.sandbox.generate import LATEST, generate_world
from playhead.sandbox.world import World, WorldServer

KINDS = ("plex", "plex", "jellyfin:10.11.11", "emby")


def leaves(world: World) -> int:
    return sum(item.type != "show" for item in world.items)


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world(3600, seed=7, servers=KINDS)


def test_the_same_seed_makes_the_same_world(world: World) -> None:
    """Byte for byte; another seed makes another one."""
    text = msgspec.json.encode(world)
    assert msgspec.json.encode(generate_world(3600, seed=7, servers=KINDS)) == text
    assert msgspec.json.encode(generate_world(3600, seed=8, servers=KINDS)) != text


def test_servers_do_not_depend_on_later_ones(world: World) -> None:
    """Fewer servers are the same first ones."""
    fewer = generate_world(3600, seed=7, servers=KINDS[:2])
    assert fewer.servers == world.servers[:2]


@pytest.mark.parametrize("size", [1, 2, 35, 36, 500])
def test_any_size(size: int) -> None:
    """Movies and episodes together are what was asked."""
    made = generate_world(size)
    assert leaves(made) == size
    assert any(item.type == "movie" for item in made.items)


def test_shares(world: World) -> None:
    """A thirty-sixth are movies; about fifty episodes a show in seasons of up to ten."""
    kinds = Counter(item.type for item in world.items)
    assert (kinds["movie"], kinds["episode"]) == (100, 3500)
    assert 50 <= kinds["show"] <= 100
    assert max(item.episode or 0 for item in world.items) == 10


def test_every_id_is_of_one_item(world: World) -> None:
    """No two items of a kind share an id; nothing contradicts by default."""
    seen = Counter((item.type, source, value) for item in world.items for source, value in item.ids.items())
    assert max(seen.values()) == 1
    true = {item.id: item.ids for item in world.items}
    for server in world.servers:
        for placement in server.placements:
            assert (placement.ids or {}).items() <= true[placement.item].items()


def test_contradictions_are_made_when_asked() -> None:
    """Then some placements carry an id of another item; the first server stays true."""
    made = generate_world(3600, seed=7, servers=KINDS, contradictions=True)
    true = {item.id: item.ids for item in made.items}
    wrong = [
        [p for p in server.placements if p.ids and not p.ids.items() <= true[p.item].items()]
        for server in made.servers
    ]
    assert wrong[0] == []
    assert all(wrong[1:])


def test_oddities_are_there(world: World) -> None:
    """Legacy and HAMA guids on Plex, missing ids, shared files, versions, second libraries, absent items."""
    plex = world.servers[0]
    guids = [placement.guid or "" for server in world.servers[:2] for placement in server.placements]
    for agent in ("agents.imdb://", "agents.thetvdb://", "agents.hama://"):
        assert any(agent in guid for guid in guids)
    assert any(placement.numbers_only for placement in plex.placements)
    assert any(placement.ids for placement in plex.placements)
    assert any(placement.versions == 2 for placement in plex.placements)
    assert any(
        placement.library == "Movies 4K" for server in world.servers for placement in server.placements
    )
    assert all(server.items != "all" for server in world.servers)
    pairs = [{p.item for p in server.placements if p.with_next} for server in world.servers]
    assert pairs[0] and all(found == pairs[0] for found in pairs)


def test_both_halves_of_a_file_are_watched_alike(world: World) -> None:
    """On every server and for every person, so that no server has to invent anything."""
    numbers = {(i.show, i.season, i.episode): i.id for i in world.items}
    firsts = [i for i in world.items if i.id in {p.item for p in world.servers[0].placements if p.with_next}]
    pairs = [(i.id, numbers[(i.show, i.season, (i.episode or 0) + 1)]) for i in firsts]
    for server in world.servers:
        for user in server.users:
            state = {row.item: msgspec.structs.replace(row, item="") for row in user.state}
            assert [state.get(one) for one, _ in pairs] == [state.get(other) for _, other in pairs]


def watched(server: WorldServer, user: int) -> set[str]:
    return {row.item for row in server.users[user].state if row.watched}


def test_persons_are_the_same_everywhere_and_servers_differ(world: World) -> None:
    """Alice and bob have their own lives; each server knows most of each."""
    for user in (0, 1):
        first, second = (watched(server, user) for server in world.servers[:2])
        assert first != second
        assert len(first & second) > len(first) / 2
    assert watched(world.servers[0], 0) != watched(world.servers[0], 1)
    assert [user.name for user in world.servers[0].users] == ["alice", "bob"]


def test_states_are_possible_ones(world: World) -> None:
    """Past dates, counts with plays, positions inside; favourites and undated plays only off Plex."""
    length = {item.id: item.duration_s for item in world.items}
    for server in world.servers:
        rows = [row for user in server.users for row in user.state]
        for row in rows:
            assert row.last_played is None or 0 < int(row.last_played) <= LATEST
            assert bool(row.plays) == row.watched
            assert 0 <= row.position_s < 0.9 * length[row.item]
        plex = server.kind == "plex"
        assert any(row.position_s for row in rows) and any(row.rating for row in rows)
        assert any(row.favourite for row in rows) != plex
        assert any(row.watched and row.last_played is None for row in rows) != plex


def test_plain_worlds_have_no_oddities() -> None:
    """Every server holds everything, as it is."""
    made = generate_world(720, servers=KINDS, plain=True)
    assert all(server.items == "all" and not server.placements for server in made.servers)


def test_versions_names_and_mistakes(world: World) -> None:
    """Versions come with the kind; equal kinds are numbered; unknown kinds and no items are refused."""
    assert [server.name for server in world.servers] == ["plex", "plex2", "jellyfin", "emby"]
    assert world.servers[2].version == "10.11.11"
    with pytest.raises(ValueError, match="plex, jellyfin, emby"):
        generate_world(1, servers=["kodi"])
    with pytest.raises(ValueError, match="at least one"):
        generate_world(0)
