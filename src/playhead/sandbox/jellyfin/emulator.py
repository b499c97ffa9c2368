"""One emulated Jellyfin server: joins catalogue, accounts, user data and routes, and offers the control side's handles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
from aiohttp import web

from playhead.sandbox.clock import SkewedClock
from playhead.sandbox.folders import RealFolders, root_of
from playhead.sandbox.jellyfin import (
    routes_items,
    routes_library,
    routes_plugins,
    routes_state,
    routes_system,
    routes_users,
    ticks,
)
from playhead.sandbox.jellyfin.accounts import Accounts, Client, User
from playhead.sandbox.jellyfin.acts import Acts
from playhead.sandbox.jellyfin.answers import nothing, text_failure
from playhead.sandbox.jellyfin.call import Call
from playhead.sandbox.jellyfin.catalogue import Catalogue
from playhead.sandbox.jellyfin.defaults import library_options, server_configuration
from playhead.sandbox.jellyfin.disk import Disk, DiskFile, as_guid, build_disk
from playhead.sandbox.jellyfin.dto import Describer
from playhead.sandbox.jellyfin.items import Item, Library
from playhead.sandbox.jellyfin.marks import Marks
from playhead.sandbox.jellyfin.mirror import Mirror
from playhead.sandbox.jellyfin.playing import Playing
from playhead.sandbox.jellyfin.queries import Finder
from playhead.sandbox.jellyfin.rules import rules_for
from playhead.sandbox.jellyfin.scans import LibraryTask, Monitor
from playhead.sandbox.jellyfin.sessions import Session, Sessions
from playhead.sandbox.jellyfin.sockets import Sockets
from playhead.sandbox.jellyfin.userdata import State, UserDataStore
from playhead.sandbox.jellyfin.web import Dispatcher
from playhead.sandbox.jellyfin.webhooks import WebhookPlugin
from playhead.sandbox.known import KnownItems
from playhead.sandbox.quirks import check_quirks, read_delays
from playhead.sandbox.server import EmulatedServer, SandboxUser, StateRow, Told, count_told
from playhead.sandbox.world import Placement, World, WorldLibrary, WorldServer, WorldState

DEFAULT_VERSION = "12.0.0"
QUIRKS = frozenset({"wizard", "legacy_auth", "webhook_plugin"})
DELAYS = {"user_data_s": 0.5, "library_s": 30.0, "item_added_s": 90.0, "monitor_s": 60.0, "scan_s": 0.5}
SANDBOX_CLIENT = Client(app="Playhead sandbox", device="sandbox", device_id="sandbox", version="1")
LANGUAGES = {"en": "en-US", "de": "de", "fr": "fr"}
_ROUTES = (
    *routes_system.ROUTES,
    *routes_users.ROUTES,
    *routes_items.ROUTES,
    *routes_state.ROUTES,
    *routes_library.ROUTES,
    *routes_plugins.ROUTES,
)
_PLAYING = (
    "Name OriginalTitle ServerId Id DateCreated Container PremiereDate ExternalUrls Path EnableMediaSourceDisplay "
    "ChannelId Overview Taglines Genres RunTimeTicks ProductionYear ProviderIds IsFolder ParentId Type Studios "
    "GenreItems LocalTrailerCount SpecialFeatureCount MediaStreams VideoType ImageTags BackdropImageTags "
    "ImageBlurHashes Chapters Trickplay LocationType MediaType Width Height SeriesName SeriesId SeasonId SeasonName "
    "IndexNumber IndexNumberEnd ParentIndexNumber"
)
_PLAYING_KEYS = _PLAYING.split()


def make_server(world: World, world_server: WorldServer, clock: SkewedClock) -> EmulatedServer:
    """The emulated server that a world describes. Raises ValueError for what makes no sense."""
    return JellyfinServer(world, world_server, clock)


class JellyfinServer:
    """A Jellyfin server of one version. Quirks: ``wizard`` (not set up yet), ``legacy_auth``, ``webhook_plugin``."""

    kind = "jellyfin"

    def __init__(self, world: World, world_server: WorldServer, clock: SkewedClock) -> None:
        check_quirks(world_server, QUIRKS)
        self.name = world_server.name
        self.version = world_server.version or DEFAULT_VERSION
        self.rules = rules_for(self.version)
        self.server_id = world_server.server_id or hashlib.sha256(self.name.encode()).hexdigest()[:32]
        self._clock = clock
        self.agenda = clock.agenda
        self._world = world
        self._world_server = world_server
        self._settle_at: int | None = None
        self.set_up = not world_server.quirks.get("wizard")
        self.hold_settle = False
        self.lost_libraries: dict[str, Library] = {}
        self.configuration = server_configuration(self.rules, self.name if self.set_up else "")
        if "legacy_auth" in world_server.quirks:
            self.configuration["EnableLegacyAuthorization"] = bool(world_server.quirks["legacy_auth"])
        self._build(world, world_server)
        self._make_tellers(world_server)
        self.acts = Acts(self)
        self.admin_token = self.accounts.add_key("Playhead sandbox").secret

    # --- making

    def _build(self, world: World, world_server: WorldServer) -> None:
        libraries = seen_libraries(world_server)
        self.accounts = Accounts(self.rules, self.now, self.name)
        self.disk: Disk = build_disk(world, world_server, libraries, self.now())
        known = KnownItems({item.id: item for item in world.items})
        self.mirror = Mirror(self.disk, known, world_server.placements, self.now)
        self.catalogue = Catalogue(self.disk, self.now, self.rules)
        self.store = UserDataStore(self.rules, self.catalogue, self.accounts.users.values)
        self.marks = Marks(self.rules, self.catalogue, self.store)
        self.describer = Describer(self.rules, self.catalogue, self.store, self.server_id)
        self.finder = Finder(self.rules, self.catalogue, self.store, self.accounts.users.values)
        self.sessions = Sessions(self.rules, self.now, self.server_id)
        if not self.set_up:
            return
        for library in libraries:
            self.add_library(library)
        self.mirror.sync()
        self.catalogue.scan()
        self.catalogue.started = True
        self._add_users(world_server)

    def add_library(self, library: WorldLibrary) -> None:
        """Make a library; a scan brings its items. Raises ValueError where the name is taken."""
        native = as_guid(library.native_id) if library.native_id else None
        kind = "movies" if library.kind == "movies" else "tvshows"
        reals = RealFolders(library)
        roots = list(dict.fromkeys([*([library.root] if library.root else []), *reals.roots]))
        made = self.catalogue.add_library(library.title, kind, roots, native)
        made.options = library_options(self.rules, made.paths, {})
        self.mirror.add(library, reals)

    def _make_tellers(self, spec: WorldServer) -> None:
        """Whatever happens from now on is told."""
        delays = read_delays(spec, DELAYS)
        library_s = delays["library_s"] if "library_s" in spec.delays else None
        monitor_s = delays["monitor_s"] if "monitor_s" in spec.delays else None
        self.library_task = LibraryTask(self, delays["scan_s"])
        self.monitor = Monitor(self, monitor_s)
        self.sockets = Sockets(self, delays["user_data_s"], library_s)
        installed = bool(spec.quirks.get("webhook_plugin", True))
        self.plugin = WebhookPlugin(self, spec.webhooks, delays["item_added_s"], installed=installed)
        self.playing = Playing(self)
        self.sessions.on_started = self.plugin.session_started
        self.marks.on_saved = self._tell_saved
        self.catalogue.on_added = self._tell_added
        self.catalogue.on_removed = self._tell_removed

    def _tell_saved(self, user: User, item: Item, reason: str) -> None:
        self.sockets.user_data_saved(user, item, reason)
        self.plugin.user_data_saved(user, item, reason)

    def _tell_added(self, item: Item) -> None:
        self.store.on_added(item)
        self.sockets.item_added(item)
        self.plugin.item_added(item)

    def _tell_removed(self, item: Item) -> None:
        self.sockets.item_removed(item)
        self.plugin.item_removed(item)
        self.store.on_removed(item)

    def _add_users(self, world_server: WorldServer) -> None:
        no_admin = not any(user.admin for user in world_server.users)
        for at, each in enumerate(world_server.users):
            admin = each.admin or (no_admin and at == 0)
            user = self.accounts.add_user(
                each.name, each.password, admin=admin, guid=as_guid(each.id) if each.id else None
            )
            if each.libraries is not None:
                folders = [self.catalogue.libraries[title].folder.id for title in each.libraries]
                user.policy.update({"EnableAllFolders": False, "EnabledFolders": folders})
            self.give_token(user, each.token)
            for state in each.state:
                self._set_state(user, state)

    def _set_state(self, user: User, given: WorldState) -> None:
        item = next(iter(self.catalogue.by_world.get(given.item, ())), None)
        if item is None:
            return
        state = State()
        state.played = given.watched
        state.plays = given.plays if given.plays is not None else int(given.watched)
        state.last_played = None if given.last_played is None else ticks.from_world(given.last_played)
        state.position = round(given.position_s * ticks.PER_SECOND)
        state.rating = given.rating
        state.favourite = given.favourite
        self.store.save(user, item, state)

    def give_token(self, user: User, secret: str | None) -> None:
        """Sign a user in on the sandbox's own device."""
        self.accounts.log_in(user, SANDBOX_CLIENT, secret)
        user.logins, user.last_login, user.last_activity = 0, None, None

    def revoke_tokens(self, user: User | None) -> None:
        """All tokens of a user, None = all API keys, are refused from now on; the sandbox's own is another one."""
        for secret in [each.secret for each in self.accounts.tokens.values() if each.user is user]:
            del self.accounts.tokens[secret]
        if user is None:
            self.admin_token = self.accounts.add_key("Playhead sandbox").secret
        else:
            self.give_token(user, None)

    # --- the promise of ``EmulatedServer``

    def make_app(self) -> web.Application:
        app = Dispatcher(self, _ROUTES).make_app()
        app.on_shutdown.append(self.sockets.lines.shut)
        app.on_cleanup.append(self.plugin.posts.close)
        return app

    def told(self) -> Told:
        return count_told(self.sockets.lines, self.plugin.posts)

    def users(self) -> list[SandboxUser]:
        found = []
        for user in self.accounts.users.values():
            tokens = self.accounts.tokens.values()
            secret = next((t.secret for t in tokens if t.user is user and t.client == SANDBOX_CLIENT), "")
            found.append(SandboxUser(id=user.id, name=user.name, token=secret))
        return found

    def state_rows(self, user: str) -> list[StateRow]:
        found = self.find_user(user)
        self.tick()
        return [
            _row(world, self.store.stored(found, item))
            for item in self.catalogue.items.values()
            if not item.is_folder and item.primary is None and self.finder.visible(found, item)
            for world in item.world
        ]

    def act(self, user: str, item: str, act: str, *, at: float | None, args: dict[str, Any]) -> None:
        self.tick()
        self.acts.do(user, item, act, at, args)

    def error_response(self, status: int) -> web.Response:
        """An error in this server's own form, for faults."""
        return nothing(status) if status in (401, 403, 404, 429) else text_failure(status).response

    # --- what routes and acts share

    @property
    def legacy_tokens(self) -> bool:
        """Whether the old forms of tokens are taken."""
        if not self.rules.legacy_switch:
            return self.rules.legacy_tokens
        return bool(self.configuration["EnableLegacyAuthorization"])

    def now(self) -> int:
        """The server's time in ticks."""
        return ticks.from_unix(self._clock.now())

    def tick(self) -> None:
        """Let happen what is due by now."""
        if self._settle_at is not None and self.now() >= self._settle_at:
            self._settle_at = None
            self.catalogue.settle()

    def scan(self, paths: Iterable[str] | None = None, *, half_read_s: float = 0, read: bool = True) -> None:
        """Bring the libraries in line with the disk; new items stay half read for a while, or unread."""
        paths = None if paths is None else list(paths)
        self.mirror.sync(paths)
        waits = self.hold_settle or half_read_s > 0
        if half_read_s > 0:
            self._settle_at = self.now() + round(half_read_s * ticks.PER_SECOND)
        self.catalogue.scan(paths, settle=not waits, read=read)

    def set_language(self, language: object) -> None:
        """In which the server speaks. Raises ValueError naming those that it is emulated to speak."""
        if language not in LANGUAGES:
            raise ValueError(
                f"an emulated Jellyfin does not speak {language!r}; it speaks {', '.join(LANGUAGES)}"
            )
        self.configuration["UICulture"] = LANGUAGES[str(language)]

    def find_user(self, name: str) -> User:
        """A user by id or name. Raises KeyError."""
        found = self.accounts.users.get(name) or self.accounts.by_name(name)
        if found is None:
            raise KeyError(name)
        return found

    def restart(self) -> None:
        """The server starts anew: sockets end, what was kept in memory is gone."""
        self.sockets.restart()
        self.store.restart()
        self.library_task.stop()
        self.monitor.forget()

    def crash(self) -> None:
        """The process was killed: as a new start, and what waited to be posted is gone."""
        self.restart()
        self.plugin.posts.drop()

    def remove_user(self, user: User) -> None:
        """Delete a user with tokens, sessions and state."""
        self.accounts.remove_user(user)
        self.store.forget_user(user)
        for key in [key for key, session in self.sessions.sessions.items() if session.user is user]:
            del self.sessions.sessions[key]

    def home_of(self, item: str, library: object) -> str | None:
        """The folder of the library in which an item of the world would be put."""
        kind = next((each.type for each in self._world.items if each.id == item), None)
        wanted = "movies" if kind == "movie" else "tvshows"
        for each in self.catalogue.libraries.values():
            if kind is not None and each.collection == wanted and library in (None, each.name):
                return each.paths[0]
        return None

    def new_files(self, item: str, given: dict[str, Any]) -> list[DiskFile]:
        """The files of a world item laid out as the world says, changed by a placement's fields. Raises KeyError."""
        wanted = {item} | {each.id for each in self._world.items if each.show == item}
        placements = [each for each in self._world_server.placements if each.item in wanted]
        if given:
            first = next((each for each in placements if each.item == item), Placement(item=item))
            placements = [msgspec.structs.replace(first, **given)]
        server = WorldServer(name=self.name, kind="jellyfin", items=sorted(wanted), placements=placements)
        libraries = seen_libraries(self._world_server)
        disk = build_disk(self._world, server, libraries, self.now())
        if not disk.files:
            raise KeyError(f"no item {item!r} in the world")
        self.disk.shows.update({path: nfo for path, nfo in disk.shows.items() if path not in self.disk.shows})
        self.disk.show_worlds.update(disk.show_worlds)
        return list(disk.files.values())

    def touch_session(self, call: Call, user: User | None) -> Session:
        """The session of a caller; ``user`` binds it to someone else than the token's user."""
        owner = user or (call.token.user if call.token else None)
        return self.sessions.touch(call.client, owner, call.request.remote or "127.0.0.1")

    def describe_session(self, session: Session) -> dict[str, Any]:
        """A session with what it plays."""
        playing = None
        if session.playing is not None:
            whole = self.describer.whole(session.playing, None)
            playing = {key: whole[key] for key in _PLAYING_KEYS if key in whole}
        return self.sessions.describe(session, playing)

    def note_playback(self, session: Session, item: Item, *, started: bool) -> None:
        """Write playback into the activity log."""
        assert session.user is not None
        name = f"{item.series.name} - {item.name}" if item.series else item.name
        did = "is playing" if started else "has finished playing"
        kind = "VideoPlayback" if started else "VideoPlaybackStopped"
        self.sessions.note(
            kind, f"{session.user.name} {did} {name} on {session.client.device}", session.user, item
        )
        self.sockets.activity_noted()


def seen_libraries(spec: WorldServer) -> list[WorldLibrary]:
    """The libraries with their roots in the inner form."""
    return [
        msgspec.structs.replace(each, root=root_of(each)) if each.root or each.folder else each
        for each in spec.libraries or default_libraries()
    ]


def default_libraries() -> list[WorldLibrary]:
    """The libraries of a server of which the world says nothing."""
    return [
        WorldLibrary(title="Movies", kind="movies", root="/media/movies"),
        WorldLibrary(title="Shows", kind="shows", root="/media/tv"),
    ]


def _row(world: str, state: State) -> StateRow:
    return StateRow(
        item=world,
        watched=state.played,
        plays=state.plays,
        last_played=None if state.last_played is None else int(ticks.to_unix(state.last_played)),
        position_s=state.position / ticks.PER_SECOND,
        rating=state.rating,
        favourite=state.favourite,
    )
