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
