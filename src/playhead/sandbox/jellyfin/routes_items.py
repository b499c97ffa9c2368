"""Routes that read items: lists, single items, views, resume, latest, counts, shows. They change nothing."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from playhead.sandbox.jellyfin.accounts import User
from playhead.sandbox.jellyfin.answers import (
    json_answer,
    json_bytes,
    json_failure,
    page,
    problem,
    text_failure,
)
from playhead.sandbox.jellyfin.call import Call
from playhead.sandbox.jellyfin.dto import Fields, parse_fields
from playhead.sandbox.jellyfin.ids import EMPTY_GUID, PLACEHOLDER_GUID
from playhead.sandbox.jellyfin.items import Item
from playhead.sandbox.jellyfin.queries import parse_query
from playhead.sandbox.jellyfin.web import Route

MODERN = (10, 9)


def find_item(call: Call, user: User | None, name: str = "itemId") -> Item:
    """The item of a path; unknown or hidden from the user is 404, the empty GUID the root."""
    guid = call.path_guid(name)
    server = call.server
    if server.rules.placeholder_row and guid == PLACEHOLDER_GUID:
        raise text_failure(500)
    item = server.catalogue.root if guid == EMPTY_GUID else server.catalogue.items.get(guid)
    if item is None or not server.finder.visible(user, item):
        raise problem(404)
    return item


def _show_page(call: Call, user: User | None, items: list[Item]) -> web.Response:
    start = call.number("startIndex")
    limit = call.number("limit")
    from_item = max(start or 0, 0)
    shown = items[from_item:] if limit is None or limit < 0 else items[from_item : from_item + limit]
    count = len(items)
    if call.flag("enableTotalRecordCount") is False:
        count = from_item + len(shown)
    return page(_entries(call, user, shown), count, start or 0)


def _entries(
    call: Call, user: User | None, items: Iterable[Item], extra: Fields = frozenset()
) -> list[bytes]:
    fields = parse_fields(call.words("fields")) | extra
    images = call.flag("enableImages") is not False
    shown_to = user if call.flag("enableUserData") is not False else None
    describe = call.server.describer.list_entry
    items = list(items)
    try:
        found = [describe(item, shown_to, fields, images=images) for item in items]
    except ValueError:  # a rating that no JSON can hold
        raise text_failure(400) from None
    if shown_to is not None and (call.server.rules.live_cache or call.server.catalogue.unsettled):
        call.server.store.note_listed(shown_to, (item.id for item in items))
    return found


def list_items(call: Call) -> web.Response:
    """``GET /Items`` and ``GET /Users/{userId}/Items``."""
    user = call.user_or_none(text_failure(404))
    query = parse_query(call, user)
    call.number("limit")
    parent = call.server.catalogue.items.get(query.parent or "")
    if user is not None and parent is not None and not call.server.finder.visible(user, parent):
        raise json_failure(f"{user.name} is not permitted to access Library {parent.name}.", 401)
    return _show_page(call, user, call.server.finder.find(query))


def get_item(call: Call) -> web.Response:
    """``GET /Items/{itemId}``."""
    call.path_guid("itemId")
    user = call.user()
    item = find_item(call, user)
    try:
        return json_answer(call.server.describer.detail(item, user))
    except ValueError:
        raise text_failure(400) from None


def list_ancestors(call: Call) -> web.Response:
    """``GET /Items/{itemId}/Ancestors``."""
    user = call.user_or_none(text_failure(404))
    item = find_item(call, user)
    above = []
    folder = item.parent
    while folder is not None:
        if folder.type != "Folder":
            above.append(folder)
        folder = folder.parent
    return json_answer([call.server.describer.detail(each, user) for each in above])


def count_items(call: Call) -> web.Response:
    """``GET /Items/Counts``."""
    user = call.user_or_none()
    server = call.server
    counted: dict[str, int] = {}
    for item in server.catalogue.items.values():
        if item.primary is None and server.finder.visible(user, item):
            counted[item.type] = counted.get(item.type, 0) + 1
    names = ("Artist", "Program", "Trailer", "Song", "Album", "MusicVideo", "BoxSet", "Book")
    body = {f"{name}Count": 0 for name in names}
    body.update({f"{name}Count": counted.get(name, 0) for name in ("Movie", "Series", "Episode")})
    everything = sum(counted.get(kind, 0) for kind in ("Movie", "Series", "Episode", "Season", "Folder"))
    body["ItemCount"] = everything if server.rules.generation >= (12, 0) else 0
    return json_answer(body)


def list_views(call: Call) -> web.Response:
    """``GET /UserViews``."""
    user = call.user()
    folders = [lib.folder for lib in call.server.catalogue.libraries.values() if user.may_see(lib.folder.id)]
    folders.sort(key=lambda folder: folder.sort_name)
    items = [call.server.describer.detail(folder, user) for folder in folders]
    return json_answer({"Items": items, "TotalRecordCount": len(items), "StartIndex": 0})


def list_resumable(call: Call) -> web.Response:
    """``GET /UserItems/Resume``: what was begun, newest first; 12 adds seasons and series in progress."""
    user = call.user(text_failure(404))
    server = call.server
    rows = server.store.rows[user.id]
    found = []
    for guid, state in rows.items():
        item = server.catalogue.items.get(guid)
        if item is None or item.is_folder or state.position <= 0 or not server.finder.visible(user, item):
            continue
        if item.primary is None or server.rules.resume_folders:
            found.append((state.last_played or 0, item))
    found.sort(key=lambda pair: -pair[0])
    items = [item for _, item in found]
    if server.rules.resume_folders:
        items += _begun_folders(call, user)
    parent = call.guid("parentId")
    if parent is not None:
        items = [item for item in items if item.library is not None and item.library.folder.id == parent]
    kinds = {word.lower() for word in call.words("includeItemTypes")}
    media = {word.lower() for word in call.words("mediaTypes")}
    items = [item for item in items if not kinds or item.type.lower() in kinds]
    items = [item for item in items if not media or ("unknown" if item.is_folder else "video") in media]
    return _show_page(call, user, items)


def _begun_folders(call: Call, user: User) -> list[Item]:
    counts = call.server.store.played_below[user.id]
    items = (call.server.catalogue.items.get(guid) for guid in list(counts))
    begun = [
        item
        for item in items
        if item is not None and item.type in ("Season", "Series") and 0 < counts[item.id] < item.leaf_count
    ]
    return sorted(begun, key=lambda item: (item.type != "Season", item.sort_name))


def list_latest(call: Call) -> web.Response:
    """``GET /Items/Latest``: the newest unplayed, several of one series as the series. A bare list."""
    user = call.user(text_failure(404))
    server = call.server
    limit = call.number("limit") or 20
    query = parse_query(call, user)
    query.recursive, query.filters, query.sort = True, frozenset(("isnotfolder",)), (("datecreated", True),)
    query.played = False if user.configuration["HidePlayedInLatest"] else None
    newest = server.finder.find(query)
    if server.rules.generation >= (12, 0):
        newest = newest[:limit]
    groups: dict[str, list[Item]] = {}
    for item in newest:
        groups.setdefault(item.series.id if item.series else item.id, []).append(item)
    grouped = call.flag("groupItems") is not False
    entries = []
    for group in list(groups.values())[:limit]:
        series = group[0].series
        if series is None or not grouped or len(group) == 1:
            entries += [_with_count(entry, 0) for entry in _entries(call, user, group)]
        else:
            entries.append(_with_count(_entries(call, user, [series])[0], len(group)))
    return json_bytes(b"[" + b",".join(entries[:limit]) + b"]")


def _with_count(entry: bytes, count: int) -> bytes:
    return entry[:-1] + b',"ChildCount":%d}' % count


def list_episodes(call: Call) -> web.Response:
    """``GET /Shows/{seriesId}/Episodes``."""
    user = call.user_or_none(text_failure(404))
    series = _find_series(call, user)
    number, season_id = call.number("season"), call.guid("seasonId")
    episodes = []
    for season in (
        [] if series.unlinked else sorted(series.seasons.values(), key=lambda season: season.season or 0)
    ):
        if (number is None or season.season == number) and season_id in (None, season.id):
            episodes += sorted(season.children.values(), key=lambda item: (item.episode or 0, item.sort_name))
    return _show_page(call, user, episodes)


def list_seasons(call: Call) -> web.Response:
    """``GET /Shows/{seriesId}/Seasons``."""
    user = call.user_or_none(text_failure(404))
    series = _find_series(call, user)
    seasons = sorted(series.inside().values(), key=lambda season: season.season or 0)
    return _show_page(call, user, seasons)


def _find_series(call: Call, user: User | None) -> Item:
    guid = call.path_guid("seriesId")
    if call.server.rules.placeholder_row and guid == PLACEHOLDER_GUID:
        raise text_failure(500)
    item = call.server.catalogue.items.get(guid)
    if item is None or item.type != "Series" or not call.server.finder.visible(user, item):
        raise json_failure("Series not found", 404)
    return item


def list_next_up(call: Call) -> web.Response:
    """``GET /Shows/NextUp``: for each series that was begun the episode after the last played one."""
    user = call.user(text_failure(404))
    only, resumable = call.guid("seriesId"), call.flag("enableResumable") is not False
    found = []
    for guid, played in list(call.server.store.played_below[user.id].items()):
        series = call.server.catalogue.items.get(guid)
        if series is None or series.type != "Series" or not played or only not in (None, guid):
            continue
        following = _next_episode(call, user, series)
        if following is None:
            continue
        date, episode = following
        if resumable or not call.server.store.stored(user, episode).position:
            found.append((date, episode))
    found.sort(key=lambda pair: -pair[0])
    return _show_page(call, user, [episode for _, episode in found])


def _next_episode(call: Call, user: User, series: Item) -> tuple[int, Item] | None:
    store = call.server.store
    regular = [season for season in series.seasons.values() if season.season]
    episodes = [
        item
        for season in sorted(regular, key=lambda season: season.season or 0)
        for item in sorted(season.children.values(), key=lambda item: item.episode or 0)
    ]
    last = max((at for at, item in enumerate(episodes) if store.stored(user, item).played), default=None)
    if last is None:
        return None
    date = max(store.stored(user, item).last_played or 0 for item in episodes)
    following = next((item for item in episodes[last + 1 :] if not store.stored(user, item).played), None)
    return (date, following) if following else None


def list_media_folders(call: Call) -> web.Response:
    """``GET /Library/MediaFolders``."""
    catalogue = call.server.catalogue
    folders = [*catalogue.root.children.values(), catalogue.playlists]
    folders.sort(key=lambda folder: folder.sort_name)
    items = [call.server.describer.detail(folder, None) for folder in folders]
    for item in items:
        for name in ("DateLastMediaAdded", "ChildCount"):
            item.pop(name, None)
    return json_answer({"Items": items, "TotalRecordCount": len(items), "StartIndex": 0})


ROUTES = [
    Route("GET", "/Items", list_items),
    Route("GET", "/Users/{userId}/Items", list_items),
    Route("GET", "/Items/Counts", count_items),
    Route("GET", "/Items/Latest", list_latest, since=MODERN),
    Route("GET", "/Users/{userId}/Items/Latest", list_latest),
    Route("GET", "/UserItems/Resume", list_resumable, since=MODERN),
    Route("GET", "/Users/{userId}/Items/Resume", list_resumable),
    Route("GET", "/Items/{itemId}", get_item, since=MODERN),
    Route("GET", "/Users/{userId}/Items/{itemId}", get_item),
    Route("GET", "/Items/{itemId}/Ancestors", list_ancestors),
    Route("GET", "/UserViews", list_views, since=MODERN),
    Route("GET", "/Users/{userId}/Views", list_views),
    Route("GET", "/Library/MediaFolders", list_media_folders, "admin"),
    Route("GET", "/Shows/NextUp", list_next_up),
    Route("GET", "/Shows/{seriesId}/Episodes", list_episodes),
    Route("GET", "/Shows/{seriesId}/Seasons", list_seasons),
]
