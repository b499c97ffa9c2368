"""What differs between the versions of Jellyfin, as data. Facts: api-jellyfin-emby, A1, A2 and A8.

10.11 and 12.0 were measured on real servers. For 10.8 to 10.10 only the routes and sign-in rules are known from the
makers' documents; the rest is *assumed* to be as in 10.11.
"""

from __future__ import annotations

import msgspec


class Rules(msgspec.Struct, frozen=True):
    """One version's behaviour. ``generation`` is (10, 8) ... (10, 11), (12, 0)."""

    generation: tuple[int, int]
    legacy_tokens: bool  # X-Emby-Token, api_key and the like are taken unless switched off
    legacy_switch: bool  # ... and can be switched off at all
    emby_prefix: bool  # /emby/... answers like /...
    quick_connect_get: bool
    quick_connect_post: bool
    user_data_route: bool  # /UserItems/{id}/UserData and the other routes without the user in the path
    start_unplays: bool  # the start of playback sets Played=false
    linked_versions: bool  # marks and dates pass between the versions of a film; plays count on the version
    version_type: str  # type of the other versions
    folder_percentage: bool  # folders have PlayedPercentage
    resume_folders: bool  # Resume lists seasons and series in progress, and versions
    dislikes_are_likes: bool  # filters=Dislikes gives the liked ones; else everything not liked
    live_cache: bool  # one cache of live user data behind lists and routes (A8, 4 to 6)
    placeholder_row: bool  # id 0...01 is a real row: asking for it fails with 500
    empty_root_empties: bool  # a scan of an empty or missing library folder empties the lists
    keeps_old_date: bool  # a mark without date keeps an existing date
    late_children: bool  # a new series finds its children only with the next scan
    path_ids: bool  # ids in a folder's name are taken before metadata is read
    deaf_sockets: bool  # a silent socket is given up, without a word (12, tape 19)
    tells_grown: bool  # LibraryChanged lists a season with a new episode as updated (tape 11)
    emby_socket: bool  # /embywebsocket takes a socket
    login_date_from: int  # the number of the login from which LastLoginDate is told


_TWELVE = Rules(
    generation=(12, 0),
    legacy_tokens=False,
    legacy_switch=True,
    emby_prefix=False,
    quick_connect_get=False,
    quick_connect_post=True,
    user_data_route=True,
    start_unplays=False,
    linked_versions=True,
    version_type="Movie",
    folder_percentage=True,
    resume_folders=True,
    dislikes_are_likes=False,
    live_cache=False,
    placeholder_row=False,
    empty_root_empties=True,
    keeps_old_date=True,
    late_children=False,
    path_ids=True,
    deaf_sockets=True,
    tells_grown=True,
    emby_socket=True,
    login_date_from=1,
)
_TEN_ELEVEN = msgspec.structs.replace(
    _TWELVE,
    generation=(10, 11),
    legacy_tokens=True,
    emby_prefix=True,
    quick_connect_get=True,
    start_unplays=True,
    linked_versions=False,
    version_type="Video",
    folder_percentage=False,
    resume_folders=False,
    dislikes_are_likes=True,
    live_cache=True,
    placeholder_row=True,
    empty_root_empties=False,
    late_children=True,
    path_ids=False,
    deaf_sockets=False,
    tells_grown=False,
    emby_socket=False,
    login_date_from=3,  # assumed: the tapes show it missing on the first two logins of a user
)
_TEN_TEN = msgspec.structs.replace(
    _TEN_ELEVEN,
    generation=(10, 10),
    legacy_switch=False,
    placeholder_row=False,
    late_children=False,
    login_date_from=1,
)
_TEN_NINE = msgspec.structs.replace(_TEN_TEN, generation=(10, 9))
_TEN_EIGHT = msgspec.structs.replace(
    _TEN_TEN, generation=(10, 8), quick_connect_post=False, user_data_route=False, keeps_old_date=False
)
_ALL = (_TEN_EIGHT, _TEN_NINE, _TEN_TEN, _TEN_ELEVEN, _TWELVE)


def rules_for(version: str) -> Rules:
    """The rules of a version: those of the newest known generation that is not newer. Raises ValueError."""
    parts = version.split(".")
    if not all(part.isdigit() for part in parts[:2]):
        raise ValueError(f"{version!r} is no Jellyfin version: use for example 10.11.11 or 12.0.0.")
    wanted = (int(parts[0]), int(parts[1]) if len(parts) > 1 else 0)
    fitting = [rules for rules in _ALL if rules.generation <= wanted]
    if not fitting:
        raise ValueError(f"Jellyfin {version} is not emulated: the oldest is 10.8.")
    return fitting[-1]
