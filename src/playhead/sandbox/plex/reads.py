"""The lists and details of an emulated Plex's libraries. Source: facts, api-plex.md 2."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from playhead.sandbox.folders import shown
from playhead.sandbox.plex.accounts import Account
from playhead.sandbox.plex.answers import ACCOUNT, Page, Refusal, Trim, answer, answer_entries, empty
from playhead.sandbox.plex.catalogue import TYPES, Node, Section
from playhead.sandbox.plex.core import PlexCore
from playhead.sandbox.plex.findings import tell_presence
from playhead.sandbox.plex.media_query import select, touches_state

_TYPE_NAMES = {str(number): name for name, number in TYPES.items()}
_LIBRARY = "com.plexapp.plugins.library"
_TAGS = {"mediaTagPrefix": "/system/bundle/media/flags/", "mediaTagVersion": 1734362201}
_KEPT_LISTS = 12
_NOT_FILTERS = ("X-Plex-", "include", "exclude", "async", "check")


class LibraryReads:
    """Handlers of everything below ``/library`` that only reads."""

    def __init__(self, core: PlexCore) -> None:
        self._core = core
        self._lists: OrderedDict[tuple[Any, ...], list[Node]] = OrderedDict()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/library", self.library),
            web.get("/library/", self.library),
            web.get("/library/all", self.everything),
            web.get("/library/onDeck", self.on_deck),
            web.get("/library/recentlyAdded", self.recently_added),
            web.get("/library/sections", self.sections),
            web.get("/library/sections/", self.sections),
            web.get("/library/sections/all", self.sections),
            web.get("/library/sections/{section}", self.section),
            web.get("/library/sections/{section}/all", self.section_all),
            web.get("/library/sections/{section}/allLeaves", self.section_leaves),
            web.get("/library/sections/{section}/collections", self.collections),
            web.get("/library/sections/{section}/onDeck", self.on_deck),
            web.get("/library/sections/{section}/recentlyAdded", self.recently_added),
            web.get("/library/sections/{section}/unwatched", self.section_unwatched),
            web.get("/library/sections/{section}/search", self.search),
            web.get("/search", self.search),
            web.get("/library/metadata/{ids}", self.metadata),
            web.get("/library/metadata/{ids}/children", self.children),
            web.get("/library/metadata/{ids}/grandchildren", self.leaves),
            web.get("/library/metadata/{ids}/allLeaves", self.leaves),
            web.put("/library/metadata/{ids}/analyze", self.accept),
        ]

    async def library(self, request: web.Request) -> web.Response:
        if not request[ACCOUNT].owner:
            raise Refusal(400)  # seen by python-plexapi: only the owner has this
        head = {"size": 3, "allowSync": False, "art": "/:/resources/library-art.png", "content": "",
                "identifier": _LIBRARY, **_TAGS, "title1": "Plex Library", "title2": ""}  # fmt: skip
        rows = [{"key": key, "title": title} for key, title in _LIBRARY_DIRECTORIES]
        return answer(request, {**head, "Directory": rows})

    async def sections(self, request: web.Request) -> web.Response:
        account: Account = request[ACCOUNT]
        seen = [s for s in self._core.catalogue.present_sections() if account.may_see(s)]
        head = {"size": len(seen), "allowSync": False, "title1": "Plex Library"}
        return answer(request, {**head, "Directory": [self._describe_section(s) for s in seen]})

    def _describe_section(self, section: Section) -> dict[str, Any]:
        return {
            "allowSync": True,
            "art": f"/:/resources/{section.type}-fanart.jpg",
            "composite": f"/library/sections/{section.key}/composite/{section.scanned}",
            "filters": True,
            "refreshing": self._core.scans.is_running(section),
            "thumb": f"/:/resources/{section.type}.png",
            "key": str(section.key),
            "type": section.type,
            "title": section.title,
            "agent": section.agent,
            "scanner": "Plex Movie" if section.type == "movie" else "Plex TV Series",
            "language": "en-US",
            "uuid": section.uuid,
            "updatedAt": section.updated,
            "createdAt": section.created,
            "scannedAt": section.scanned,
            "content": True,
            "directory": True,
            "contentChangedAt": section.changed or self._core.catalogue.revision,
            "hidden": 0,
            "Location": [
                {"id": section.key + 1000 * place, "path": shown(root)}
                for place, root in enumerate(section.roots)
            ],
        }

    def _section(self, request: web.Request) -> Section:
        section = self._core.catalogue.find_section(request.match_info["section"])
        if section is None:
            raise Refusal(404)
        if not request[ACCOUNT].may_see(section):
            raise Refusal(403)
        return section

    async def section(self, request: web.Request) -> web.Response:
        section = self._section(request)
        head = {**_head(section), "content": "secondary", "viewGroup": "secondary"}
        rows = [{"key": key, "title": title} for key, title in _SECTION_DIRECTORIES]
        return answer(request, {"size": len(rows), **head, "Directory": rows})

    async def section_all(self, request: web.Request) -> web.Response:
        section = self._section(request)
        kind = _TYPE_NAMES.get(request.query.get("type", ""), section.type)
        return self._list_section(request, section, kind)

    async def section_leaves(self, request: web.Request) -> web.Response:
        section = self._section(request)
        return self._list_section(request, section, "movie" if section.type == "movie" else "episode")

    async def collections(self, request: web.Request) -> web.Response:
        """None are emulated."""
        return self._answer(
            request, [], {**_head(self._section(request)), "viewGroup": "collection"}, section=False
        )

    async def section_unwatched(self, request: web.Request) -> web.Response:
        section = self._section(request)
        return self._list_section(request, section, section.type, [("unwatched", "1")])

    def _list_section(
        self, request: web.Request, section: Section, kind: str, more: Iterable[tuple[str, str]] = ()
    ) -> web.Response:
        nodes = self._select(request[ACCOUNT], [section], kind, [*_filters(request), *more])
        head = {**_head(section), "content": "secondary", "viewGroup": kind}
        if request.query.get("includeMeta") == "1":
            head["Meta"] = _describe_meta(section)
        return self._answer(request, nodes, head, section=False)

    def _select(
        self, account: Account, sections: list[Section], kind: str, query: list[tuple[str, str]]
    ) -> list[Node]:
        """The selected nodes; kept until the catalogue, or the state where it matters, changes."""
        core, stateful = self._core, touches_state(query)
        moved = (account.id, core.state.revisions.get(account.id, 0)) if stateful else ()
        key = (tuple(s.key for s in sections), kind, tuple(query), core.catalogue.revision, moved)
        kept = self._lists.get(key)
        if kept is None:
            nodes = core.catalogue.of_type(kind, sections)
            kept = select(nodes, query, core.state.of(account.id), comparisons=core.date_filters)
            self._lists[key] = kept
            if len(self._lists) > _KEPT_LISTS:
                self._lists.popitem(last=False)
        return kept

    def _answer(
        self,
        request: web.Request,
        nodes: list[Node],
        head: dict[str, Any],
        *,
        section: bool,
        guids: bool | None = None,
        page: Page | None = None,
    ) -> web.Response:
        limit = request.query.get("limit", "")
        nodes = nodes[: int(limit)] if limit.isdigit() else nodes
        page = page or Page(request)
        shown = page.cut(nodes)
        entries = self._render(request, shown, section=section, guids=guids)
        return answer_entries(
            request, {**page.describe(len(shown), len(nodes)), **head}, entries, page.headers(len(nodes))
        )

    def _render(
        self, request: web.Request, nodes: list[Node], *, section: bool, guids: bool | None
    ) -> list[bytes]:
        core, account = self._core, request[ACCOUNT]
        settings, render, trim = core.state.of(account.id), core.renderer.render, Trim(request)
        wanted = request.query.get("includeGuids") == "1" if guids is None else guids
        return [
            render(
                node,
                settings.get(node.guid),
                trim,
                guids=wanted,
                section=section,
                watched_leaves=core.watched_leaves(account, node) if node.children else None,
            )
            for node in nodes
        ]

    def _visible(self, request: web.Request) -> list[Section]:
        if "section" in request.match_info:
            return [self._section(request)]
        account: Account = request[ACCOUNT]
        return [section for section in self._core.catalogue.present_sections() if account.may_see(section)]

    async def everything(self, request: web.Request) -> web.Response:
        """All items of a type in all sections; without a type those that ``guid`` names."""
        account, query, sections = request[ACCOUNT], _filters(request), self._visible(request)
        kind = _TYPE_NAMES.get(request.query.get("type", ""))
        guid = request.query.get("guid")
        if guid is not None:
            seen = {section.key for section in sections}
            found = self._core.catalogue.by_guid.get(guid, [])
            nodes = [
                n for n in found if n.section.key in seen and n.section.present and kind in (None, n.kind)
            ]
        else:
            kinds = [kind] if kind else ["movie", "show"]
            nodes = [node for one in kinds for node in self._select(account, sections, one, query)]
        return self._answer(request, nodes, _mixed_head("All"), section=True)

    async def recently_added(self, request: web.Request) -> web.Response:
        nodes: list[Node] = []
        for section in self._visible(request):
            kind = _TYPE_NAMES.get(
                request.query.get("type", ""), "movie" if section.type == "movie" else "season"
            )
            nodes += self._core.catalogue.of_type(kind, [section])
        nodes.sort(key=lambda node: (-node.added, node.key))
        return self._answer(request, nodes[:50], _mixed_head("Recently Added"), section=True)

    async def on_deck(self, request: web.Request) -> web.Response:
        """What is in progress, newest first, then the next episode of each show begun. Its order is *assumed*."""
        settings = self._core.state.of(request[ACCOUNT].id)
        leaves = [
            n
            for kind in ("movie", "episode")
            for n in self._core.catalogue.of_type(kind, self._visible(request))
        ]
        begun = [n for n in leaves if (s := settings.get(n.guid)) and s.view_offset]
        begun.sort(key=lambda node: -settings[node.guid].last_viewed)
        shows = {id(node.show) for node in begun}
        following = []
        for show in self._core.catalogue.of_type("show", self._visible(request)):
            seen = [leaf for leaf in show.leaves() if (s := settings.get(leaf.guid)) and s.view_count]
            rest = [leaf for leaf in show.leaves() if not ((s := settings.get(leaf.guid)) and s.view_count)]
            if seen and rest and id(show) not in shows:
                following.append(rest[0])
        return self._answer(request, (begun + following)[:40], _mixed_head("On Deck"), section=True)

    async def search(self, request: web.Request) -> web.Response:
        wanted = (request.query.get("query") or request.query.get("title") or "").lower()
        kind = _TYPE_NAMES.get(request.query.get("type", ""))
        kinds = [kind] if kind else ["movie", "show", "episode"]
        found = [n for one in kinds for n in self._core.catalogue.of_type(one, self._visible(request))]
        nodes = [node for node in found if wanted and wanted in node.title.lower()]
        return self._answer(request, nodes, _mixed_head("Search"), section=True)

    async def metadata(self, request: web.Request) -> web.Response:
        """The found ones of several ids; 404 only where none exists (recorded)."""
        found = [
            node for key in request.match_info["ids"].split(",") if (node := self._core.catalogue.find(key))
        ]
        if not found:
            raise Refusal(404)
        allowed = [node for node in found if request[ACCOUNT].may_see(node)]
        if not allowed:
            raise Refusal(403)
        head = {"allowSync": True, "identifier": _LIBRARY, **_TAGS}
        if len({node.section.key for node in allowed}) == 1:
            head |= _section_names(allowed[0].section)
        entries = self._render(request, allowed, section=True, guids=True)
        if request.query.get("checkFiles") == "1":
            entries = [tell_presence(entry, node) for entry, node in zip(entries, allowed, strict=True)]
        return answer_entries(request, {"size": len(entries), **head}, entries)

    def _node(self, request: web.Request) -> Node:
        node = self._core.catalogue.find(request.match_info["ids"])
        if node is None:
            raise Refusal(404)
        if not request[ACCOUNT].may_see(node):
            raise Refusal(403)
        return node

    async def children(self, request: web.Request) -> web.Response:
        node = self._node(request)
        head = {**_head(node.section), "key": str(node.key), "parentTitle": node.title, "viewGroup": "season"}
        if node.kind == "season":
            head["viewGroup"] = "episode"
        return self._answer(request, node.children, head, section=False)

    async def leaves(self, request: web.Request) -> web.Response:
        node = self._node(request)
        head = {
            **_head(node.section),
            "key": str(node.key),
            "parentTitle": node.title,
            "viewGroup": "episode",
        }
        return self._answer(request, list(node.leaves()), head, section=False)

    async def accept(self, request: web.Request) -> web.Response:
        self._node(request)
        return empty()


_LIBRARY_DIRECTORIES = (
    ("sections", "Library Sections"),
    ("recentlyAdded", "Recently Added Content"),
    ("onDeck", "On Deck Content"),
)
_SECTION_DIRECTORIES = (
    ("all", "All"),
    ("unwatched", "Unplayed"),
    ("recentlyAdded", "Recently Added"),
    ("onDeck", "On Deck"),
)
_META_SORTS = ("titleSort", "originallyAvailableAt", "duration", "addedAt", "lastViewedAt")
_META_FLAGS = ("unwatched", "inProgress", "trash")


def _filters(request: web.Request) -> list[tuple[str, str]]:
    return [(key, value) for key, value in request.query.items() if not key.startswith(_NOT_FILTERS)]


def _section_names(section: Section) -> dict[str, Any]:
    return {
        "librarySectionID": section.key,
        "librarySectionTitle": section.title,
        "librarySectionUUID": section.uuid,
    }


def _head(section: Section) -> dict[str, Any]:
    return {
        "allowSync": True,
        "art": f"/:/resources/{section.type}-fanart.jpg",
        "identifier": _LIBRARY,
        **_section_names(section),
        **_TAGS,
        "thumb": f"/:/resources/{section.type}.png",
        "title1": section.title,
        "title2": "All",
    }


def _mixed_head(title: str) -> dict[str, Any]:
    return {"allowSync": True, "identifier": _LIBRARY, **_TAGS, "mixedParents": True, "title1": title}


def _describe_meta(section: Section) -> dict[str, Any]:
    """What fields and sorts a section's lists have, as ``includeMeta`` tells (the ones emulated here)."""
    kinds = ("movie",) if section.type == "movie" else ("show", "season", "episode")
    base = f"/library/sections/{section.key}"
    types = []
    for kind in kinds:
        sorts = [
            {"defaultDirection": "asc", "descKey": f"{name}:desc", "key": name, "title": name}
            for name in _META_SORTS
        ]
        flags = [
            {
                "filter": name,
                "filterType": "boolean",
                "key": f"{base}/{name}",
                "title": name,
                "type": "filter",
            }
            for name in _META_FLAGS
        ]
        fields = [{"key": name, "title": name, "type": "boolean"} for name in _META_FLAGS]
        types.append(
            {
                "key": f"{base}/all?type={TYPES[kind]}",
                "type": kind,
                "title": kind.title(),
                "active": kind == section.type,
                "Filter": flags,
                "Sort": sorts,
                "Field": fields,
            }
        )
    operators = [{"key": "=", "title": "is true"}, {"key": "!=", "title": "is false"}]
    return {"Type": types, "FieldType": [{"type": "boolean", "Operator": operators}]}
