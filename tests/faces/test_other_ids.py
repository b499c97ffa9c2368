"""A Plex server calls its owner 1, what it posts says plex.tv's id: the owner is known by it, whatever they are called now."""

from __future__ import annotations

import pytest

from playhead.faces.cli.demo_world import EMBY, PERSON, PLEX
from playhead.sandbox.run import SandboxHandle
from tests.faces.conftest import Cli
from tests.faces.test_serve import Start, box, fates, hooks, is_watched, post, shared_unwatched, start, until

__all__ = ["box", "start"]


@pytest.mark.parametrize("by", ["Plex", "Tautulli"])
def test_an_owner_who_was_renamed_is_heard(cli: Cli, box: SandboxHandle, start: Start, by: str) -> None:
    """By webhook alone, also where it comes before plex.tv was asked; another who has the old name now is a stranger."""
    assert cli("connections", "set", PLEX, "--no-listen").code == 0
    core, item = box.server(PLEX).core, shared_unwatched(box)  # type: ignore[attr-defined]
    key = core.catalogue.by_world[item][0].key
    owner = core.account(PERSON)

    def told(id: int, name: str) -> dict[str, object]:
        if by == "Tautulli":
            return {
                "playhead": "tautulli", "action": "watched", "user_id": str(id), "username": name,
                "media_type": "movie", "rating_key": str(key), "server_id": core.machine_id,
            }  # fmt: skip
        return {
            "event": "media.scrobble",
            "Account": {"id": id, "title": name},
            "Server": {"uuid": core.machine_id},
            "Metadata": {"ratingKey": str(key), "type": "movie"},
        }

    hub = start()
    box.server(PLEX).act(PERSON, item, "mark", at=None, args={})
    assert post(hooks(cli)[PLEX], told(owner.plextv_id, "A new name")) == 202
    until(lambda: is_watched(box, EMBY, item), hub.log)
    until(lambda: fates(hub).get("done") == 1, hub.log)
    assert post(hooks(cli)[PLEX], told(987_654, owner.name)) == 202
    until(lambda: fates(hub).get("unmatched") == 1, hub.log)
    [stranger] = cli("people", "unmatched", "--json").json
    assert (stranger["user_id"], stranger["events"]) == ("987654", 1)
