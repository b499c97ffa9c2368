"""What a replayed server says although nobody recorded it, kept to what an adapter must hear before it lists anything.

Every entry is marked ``synthetic`` and says why. Nothing here holds items or state.
"""

from __future__ import annotations

from typing import Any

import msgspec

from playhead.sandbox.replay.recordings import Recording


def _say(path: str, content: Any, why: str, *query: tuple[str, str]) -> Recording:
    return Recording(
        key=f"glue:{path}",
        derived=why,
        form="synthetic",
        path=path,
        query=query,
        body=msgspec.json.encode(content),
    )


def plex_glue(version: str, lists: tuple[Recording, ...]) -> tuple[Recording, ...]:
    """Identity, the server's own page, and a section for each recorded list (its title, type and key)."""
    known = {
        "machineIdentifier": f"replay-{version}",
        "version": version,
        "friendlyName": f"Replay {version}",
    }
    kinds = {"episode": "show", "season": "show", "show": "show", "movie": "movie"}
    sections = [
        {"key": entry.key, "type": kinds.get(entry.listed or "", "artist"), "title": entry.key}
        for entry in lists
    ]
    return (
        _say("/identity", {"MediaContainer": known}, "no recording of /identity in JSON"),
        _say("/", {"MediaContainer": known}, "no recording of / in JSON"),
        _say(
            "/library/sections",
            {"MediaContainer": {"size": len(sections), "Directory": sections}},
            "no recording of the sections; one for each recorded list",
        ),
    )


def jellyfin_glue(version: str, user_id: str, *, whole: bool) -> tuple[Recording, ...]:
    """For files that stand alone: the empty list that proves access; elsewhere who answers and who the users are."""
    access = _say(
        "/Items",
        {"Items": [], "TotalRecordCount": 0, "StartIndex": 0},
        "the question that proves access, a list of length 0",
        ("limit", "0"),
    )
    info = {"ServerName": f"Replay {version}", "Version": version, "Id": "0" * 32}
    product = info | {"ProductName": "Jellyfin Server", "StartupWizardCompleted": True}
    user = {"Name": "replay", "Id": user_id, "Policy": {"IsAdministrator": True, "IsDisabled": False}}
    others = (
        _say("/System/Info/Public", product, "this tape does not ask who answers; file 01 does"),
        _say("/Users", [user], "this tape does not list the users; file 01 does"),
    )
    return (access,) if whole else (access, *others)


def emby_glue(user_id: str) -> tuple[Recording, ...]:
    """The users, which no file of Emby holds."""
    user = {"Name": "replay", "Id": user_id, "Policy": {"IsAdministrator": True, "IsDisabled": False}}
    return (
        _say("/Users/Query", {"Items": [user], "TotalRecordCount": 1}, "no recording of the users"),
        _say(
            "/Library/VirtualFolders/Query",
            {"Items": [], "TotalRecordCount": 0},
            "no recording of the library folders",
        ),
    )
