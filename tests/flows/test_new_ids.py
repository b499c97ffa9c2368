"""A new id for what was there before is a first contact for every person of a server, in whatever order they are read."""

from __future__ import annotations

import pytest

from tests.properties.servers import EMBY, PLEX
from tests.properties.town import Town


@pytest.mark.parametrize("person", ["anna", "ben", "kid"])
def test_the_stamp_of_the_hubs_own_mark_moves_no_date_by_way_of_a_new_id(person: str) -> None:
    """Plex stamped the hub's mark; then the item is removed and added again, its state kept under another id."""
    town = Town([EMBY, PLEX], ("anna", "ben", "kid"), ("1",))
    try:
        emby, plex = town.servers
        town.settle()
        town.wait(4_000)
        town.act("play", person, emby, "1")
        played_at = town.now
        town.wait(5)
        town.hear(person, emby, "1")
        del plex.ids["1"]
        plex.add("1")
        town.wait(4_000)
        town.settle()
        assert town.agreed()[person, "1"]["watched_at"] == played_at
        assert town.bases()[plex.name, person, "1"]
    finally:
        town.close()


@pytest.mark.parametrize("comes_back_later", [False, True])
def test_an_un_play_stands_against_the_hubs_own_mark_under_a_new_id(comes_back_later: bool) -> None:
    """Watched on one Emby and marked on Plex by the hub; then unmarked there, while Plex's item is away and comes back under
    another id, its state kept. What it shows is no play of anybody."""
    town = Town([PLEX, EMBY, EMBY], ("anna",), ("1",))
    try:
        plex, _, emby = town.servers
        town.settle()
        town.wait(4_000)
        town.act("play", "anna", emby, "1")
        town.wait(40)
        town.run()
        del plex.ids["1"]
        town.act("unmark", "anna", emby, "1")
        town.wait(40)
        if comes_back_later:
            town.run()
        plex.add("1")
        town.wait(4_000)
        town.settle()
        assert not town.agreed()["anna", "1"]["watched"]
        assert not any(cell.watched for cell in town.cells("anna", "1").values())
    finally:
        town.close()
