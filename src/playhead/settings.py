"""What a person can set, as typed values, and what is said when a value is wrong.

Holds no file access and no secret: a token stands here only as a reference (``store:``, ``env:``, ``file:``). Every
error names the place in the file and what is allowed there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from playhead.library_settings import (
    ALLOWED,
    LibraryChoice,
    PathMapping,
    ScanSettings,
    TriggerSettings,
    WatchSettings,
    find_nested_watch,
    find_wrong_expression,
)
from playhead.notice_settings import NOTICES_ALLOWED, NoticeSettings, find_second
from playhead.sender_settings import SENDERS_ALLOWED, SenderSettings

SETTINGS_VERSION = 1
TOKEN = r"^(store|env|file):.+"
CRON = r"^$|^\S+( +\S+){4}$"


class ScheduleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When ``serve`` starts a sync by itself: in cron's five fields, local time; "" = never."""

    sync: Annotated[str, Meta(pattern=CRON)] = "*/15 * * * *"
    full: Annotated[str, Meta(pattern=CRON)] = "0 3 * * *"
    at_start: bool = True


class ServeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where ``serve`` listens, and the address under which servers reach it ("" = where it listens)."""

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 7529
    base_url: Annotated[str, Meta(pattern=r"^(https?://[^\s/]+.*)?$")] = ""


class AccountSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A further login of a connection and whose it is. ``token`` None: the connection's own serves this login too.

    ``shared``: several persons watch there. It stands once for each of them, is read for each, and never written.
    """

    user: Annotated[str, Meta(min_length=1)]
    user_id: Annotated[str, Meta(min_length=1)]
    person: Annotated[str, Meta(min_length=1)]
    token: Annotated[str, Meta(pattern=TOKEN)] | None = None
    shared: bool = False


class Login(msgspec.Struct, frozen=True):
    """A login of a connection, its own or a further one. ``person`` "" = nobody's; ``place`` is its index in ``accounts``,
    None = the connection's own; ``shared`` as in the settings."""

    user: str
    user_id: str
    person: str
    token: str
    place: int | None = None
    shared: bool = False

    @property
    def key(self) -> str:
        """What tells it from every other login of its connection: the native id, and for a shared one whose part it is."""
        return f"{self.user_id} of {self.person.casefold()}" if self.shared else self.user_id


class ConnectionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One connection: a server, the login used there, and further ``accounts``. ``options`` are the backend's own settings.

    ``person`` "" = the login is nobody's: its token serves, its state is neither read nor written.
    """

    kind: Annotated[str, Meta(min_length=1)]
    url: Annotated[str, Meta(pattern=r"^https?://[^\s/]+")]
    user: Annotated[str, Meta(min_length=1)]
    user_id: Annotated[str, Meta(min_length=1)]
    person: str
    token: Annotated[str, Meta(pattern=TOKEN)]
    server_id: str = ""  # who answered when it was connected; another one there is another server
    read: bool = True
    write: bool = True
    listen: bool = True
    look_every_s: Annotated[int, Meta(ge=0)] = 45  # where no line tells of marks; 0 = never
    libraries: LibraryChoice = LibraryChoice()
    paths: list[PathMapping] = []
    schedule: ScheduleSettings | None = None  # None: with the others
    proxy_host: str = ""  # the name, with its port, by which clients call the proxy before the server
    scan: bool = True
    anchors: list[
        Annotated[str, Meta(min_length=1)]
    ] = []  # what must be there before its libraries are scanned
    options: dict[str, Any] = {}
    accounts: list[AccountSettings] = []

    def logins(self) -> list[Login]:
        """All logins, the connection's own first, each with the token that serves it."""
        further = [
            Login(each.user, each.user_id, each.person, each.token or self.token, place, each.shared)
            for place, each in enumerate(self.accounts)
        ]
        return [Login(self.user, self.user_id, self.person, self.token), *further]

    def linked(self) -> list[Login]:
        """The logins that belong to somebody."""
        return [login for login in self.logins() if login.person]


class GuardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a plan is held until a person has looked at it."""

    max_removal_share: Annotated[float, Meta(ge=0, le=1)] = 0.2
    max_removals_without_question: Annotated[int, Meta(ge=0)] = 5
    max_shrink_share: Annotated[float, Meta(ge=0, le=1)] = 0.2
    max_clock_skew_s: Annotated[float, Meta(ge=0)] = 300


class MatchingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ways to know an item again when its ids do not tell: same file under mapped roots, exact title and year."""

    file: bool = True
    title: bool = True


class ProgressSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What counts as a resume point, and where it may be carried."""

    min_position_s: Annotated[int, Meta(ge=0)] = 60
    watched_threshold: Annotated[float, Meta(gt=0, le=1)] = 0.9
    max_runtime_difference_s: Annotated[int, Meta(ge=0)] = 60


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything in ``playhead.yaml``."""

    version: int = SETTINGS_VERSION
    people: list[Annotated[str, Meta(min_length=1)]] = []  # known without a login
    connections: dict[str, ConnectionSettings] = {}
    senders: dict[str, SenderSettings] = {}
    guards: GuardSettings = GuardSettings()
    matching: MatchingSettings = MatchingSettings()
    progress: ProgressSettings = ProgressSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    serve: ServeSettings = ServeSettings()
    scans: ScanSettings = ScanSettings()
    triggers: TriggerSettings = TriggerSettings()
    watch: list[WatchSettings] = []
    notices: list[NoticeSettings] = []

    def persons(self) -> list[str]:
        """Everybody who is known: those with a login in the order of the connections, then the others; each name once."""
        linked = (login.person for each in self.connections.values() for login in each.linked())
        names: dict[str, str] = {}
        for name in (*linked, *self.people):
            names.setdefault(name.casefold(), name)
        return list(names.values())

    def first_person(self) -> str | None:
        """The first of them; None before there is one."""
        return next(iter(self.persons()), None)

    def find_person(self, name: str) -> str | None:
        """The spelling of a person that is known, upper and lower case alike; None for a new one."""
        return next((known for known in self.persons() if known.casefold() == name.strip().casefold()), None)


class Misplaced(Exception):
    """A value that may not stand where it stands. ``place`` leads to it: ("connections", "Living room", "read")."""

    def __init__(self, place: tuple[str | int, ...], reason: str, allowed: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason
        self.allowed = allowed


_PARTS: dict[str, type[msgspec.Struct]] = {
    "guards": GuardSettings,
    "matching": MatchingSettings,
    "progress": ProgressSettings,
    "schedule": ScheduleSettings,
    "serve": ServeSettings,
    "scans": ScanSettings,
    "triggers": TriggerSettings,
}
_CRON_FORM = "cron's five fields such as '*/15 * * * *', or '' for never"
_ALLOWED = {
    **ALLOWED,
    **NOTICES_ALLOWED,
    **SENDERS_ALLOWED,
    "look_every_s": "a number of seconds, 0 for never",
    "read": "true or false",
    "write": "true or false",
    "listen": "true or false",
    "shared": "true or false",
    "file": "true or false",
    "title": "true or false",
    "url": "an address such as http://10.0.0.5:32400",
    "token": "a reference: store:NAME, env:NAME or file:PATH, never the token itself",
    "accounts": "a list of entries with 'user', 'user_id', 'person' and, where it is needed, 'token'",
    "people": "a list of names",
    "sync": _CRON_FORM,
    "full": _CRON_FORM,
    "at_start": "true or false",
    "port": "a number from 0 to 65535",
    "base_url": "an address such as https://hub.example.org, or '' for where it listens",
    "include": "a list of library titles",
    "exclude": "a list of library titles",
}


def read_settings(raw: object) -> Settings:
    """Typed settings from plain YAML values. Raises Misplaced."""
    if raw is None:
        return Settings()
    if not isinstance(raw, Mapping):
        raise Misplaced((), "is not a mapping", "the keys " + ", ".join(Settings.__struct_fields__))
    _refuse_unknown(raw, Settings, ())
    version = raw.get("version", SETTINGS_VERSION)
    if version != SETTINGS_VERSION:
        raise Misplaced(
            ("version",), f"is {version!r}", f"{SETTINGS_VERSION}; a newer Playhead wrote another one"
        )
    settings = Settings(
        people=_convert_people(raw.get("people")),
        connections=_convert_named(raw, "connections", ConnectionSettings),
        senders=_convert_named(raw, "senders", SenderSettings),
        watch=_convert_list(raw, "watch", WatchSettings, find_nested_watch, ("folder", "is watched twice")),
        notices=_convert_list(raw, "notices", NoticeSettings, find_second, ("name", "stands there twice")),
        **{part: _convert(raw.get(part) or {}, kind, (part,)) for part, kind in _PARTS.items()},
    )
    _refuse_wrong_expressions("connections", settings.connections)
    _refuse_wrong_expressions("senders", settings.senders)
    _refuse_shared_names(settings)
    _refuse_second_owners(settings)
    return settings


def _convert_people(raw: object) -> list[str]:
    try:
        return msgspec.convert(raw or [], list[Annotated[str, Meta(min_length=1)]])
    except msgspec.ValidationError as error:
        raise Misplaced(("people",), "is not a list of names", _ALLOWED["people"]) from error


def _convert_named(raw: Mapping[Any, Any], part: str, kind: type[Any]) -> Any:
    given = raw.get(part)
    if given is not None and not isinstance(given, Mapping):
        allowed = _ALLOWED.get(part) or f"names of {part}, each with its settings"
        raise Misplaced((part,), "is not a mapping", allowed)
    return {str(name): _convert(value, kind, (part, str(name))) for name, value in (given or {}).items()}


def _refuse_wrong_expressions(
    part: str, entries: Mapping[str, ConnectionSettings] | Mapping[str, SenderSettings]
) -> None:
    for name, entry in entries.items():
        if wrong := find_wrong_expression(entry.paths):
            place = (part, name, "paths", wrong[0])
            raise Misplaced(place, f"is no expression ({wrong[1]})", ALLOWED["expression"])


def _refuse_shared_names(settings: Settings) -> None:
    """Commands name connections and senders alike."""
    taken = {name.casefold() for name in settings.connections}
    for name in settings.senders:
        if name.casefold() in taken:
            raise Misplaced(("senders", name), "has the name of another entry", "a name of its own")
        taken.add(name.casefold())


def _convert_list(
    raw: Any, key: str, kind: type[Any], find_twice: Callable[[list[Any]], int | None], told: tuple[str, str]
) -> Any:
    given = raw.get(key) or []
    if not isinstance(given, list):
        raise Misplaced((key,), "is not a list", _ALLOWED[key])
    entries = [_convert(each, kind, (key, place)) for place, each in enumerate(given)]
    if (twice := find_twice(entries)) is not None:
        raise Misplaced((key, twice, told[0]), told[1], _ALLOWED[key])
    return entries


def same_login(one: str, other: str) -> bool:
    """Whether two native user ids mean one login, however they are written."""
    return _plain_id(one) == _plain_id(other)


def _plain_id(user_id: str) -> str:
    return user_id.strip().replace("-", "").casefold()


def _refuse_second_owners(settings: Settings) -> None:
    """No login stands twice on a connection, and none belongs to two persons, also where a server is connected twice; a shared
    one stands once for each of its persons, and is nobody's own."""
    owners: dict[tuple[str, str, str], Login] = {}
    for name, connection in settings.connections.items():
        logins = connection.logins()
        for number, login in enumerate(logins):
            place = ("connections", name, *(("accounts", login.place) if login.place is not None else ()))
            before = [each for each in logins[:number] if same_login(each.user_id, login.user_id)]
            if not all(_may_stand_beside(each, login) for each in before):
                raise Misplaced(
                    (*place, "user_id"),
                    f"names the login '{login.user}' a second time",
                    "each login of a server once, or with 'shared: true' once for each person",
                )
            if not (connection.server_id and login.person):
                continue
            key = (connection.kind, connection.server_id, _plain_id(login.user_id))
            first = owners.setdefault(key, login)
            if first.person.casefold() != login.person.casefold() and not _share(first, login):
                raise Misplaced(
                    (*place, "person"),
                    f"gives '{login.user}' to {login.person}, who is {first.person}'s elsewhere in this file",
                    "one person for each login, or 'shared: true' in each entry",
                )


def _may_stand_beside(before: Login, login: Login) -> bool:
    nobodys_own = before.place is None and not before.person
    return (nobodys_own and login.shared) or _share(before, login)


def _share(one: Login, other: Login) -> bool:
    return one.shared and other.shared and one.person.casefold() != other.person.casefold()


def _convert(raw: object, kind: type[Any], place: tuple[str | int, ...]) -> Any:
    if not isinstance(raw, Mapping):
        raise Misplaced(place, "is not a mapping", "the keys " + ", ".join(kind.__struct_fields__))
    _refuse_unknown(raw, kind, place)
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise _explain(error, kind, place) from error


def _refuse_unknown(raw: Mapping[Any, Any], kind: type[msgspec.Struct], place: tuple[str | int, ...]) -> None:
    for key in raw:
        if key not in kind.__struct_fields__:
            raise Misplaced((*place, str(key)), "is not known", "one of " + ", ".join(kind.__struct_fields__))


_PLACE = re.compile(r" - at `\$(?P<path>[^`]*)`\Z")
_MISSING = re.compile(r"Object missing required field `(?P<field>\w+)`")


def _explain(error: msgspec.ValidationError, kind: type[Any], place: tuple[str | int, ...]) -> Misplaced:
    text = str(error)
    if "regex" in text:
        text = "Expected another form" + (text[m.start() :] if (m := _PLACE.search(text)) else "")
    match = _PLACE.search(text)
    if match:
        place = (*place, *(int(p) if p.isdigit() else p for p in re.findall(r"\w+", match["path"])))
        text = text[: match.start()]
    if missing := _MISSING.match(text):
        return Misplaced(place, f"lacks '{missing['field']}'", _ALLOWED.get(missing["field"], "a text there"))
    fields = [part for part in place if isinstance(part, str)]
    allowed = _ALLOWED.get(fields[-1] if fields else "", "")
    return Misplaced(
        place,
        "is wrong: " + text.replace("`", "").lower(),
        allowed or ("a number" if re.search(r"float|int", text) else "a text"),
    )


def name_place(place: tuple[str | int, ...]) -> str:
    """``connections.Living room.paths[0]``, as a person would point at it."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "the file"
