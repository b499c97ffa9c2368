"""``playhead.yaml`` on disk: read with the place of every mistake, edited with comments kept, never half written."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from playhead.kit.files import only_one, write_atomically
from playhead.notice_settings import NoticeSettings
from playhead.ports.backend import Manifest
from playhead.ports.errors import UsageError
from playhead.runtime.home import Home
from playhead.sender_settings import SenderSettings
from playhead.settings import (
    ConnectionSettings,
    Misplaced,
    Settings,
    name_place,
    read_settings,
    same_login,
)

_NEW = """\
# Playhead's settings. The command line edits this file and keeps your comments; you may edit it as well.
# Tokens are not in here: store:NAME points into the encrypted store, env:NAME and file:PATH to where you keep them.
version: 1
connections: {}
"""


class SettingsFile:
    """The settings of one home folder. ``list_kinds`` names the backends that there are, ``list_senders`` the programs that can
    be asked what arrived; without them any kind is taken."""

    def __init__(
        self,
        home: Home,
        list_kinds: Callable[[], Mapping[str, Manifest]] | None = None,
        list_senders: Callable[[], Collection[str]] | None = None,
    ) -> None:
        self._home = home
        self._list_kinds = list_kinds
        self._list_senders = list_senders
        self.path = home.settings

    def load(self) -> Settings:
        """The settings as they stand; defaults where there is no file yet. Raises UsageError naming the place."""
        text = self._read()
        with self._tell_broken():
            plain = _load_plain(text)
        return self._check(_plain(plain), lambda: _load_document(text))

    def edit(self, change: Callable[[CommentedMap], None]) -> Settings:
        """Apply ``change`` to the document, check the outcome, and write it. Nothing is written when it is wrong."""
        self._home.prepare()
        with only_one(self._home.settings_lock, "Another change of the settings", wait=True):
            with self._tell_broken():
                document = _load_document(self._read())
            change(document)
            settings = self._check(_plain(document), lambda: document)
            write_atomically(self.path, _dump(document).encode(), mode=None if self.path.exists() else 0o600)
        return settings

    def _read(self) -> str:
        with self._tell_broken():
            return self.path.read_text(encoding="utf-8") if self.path.exists() else _NEW

    @contextmanager
    def _tell_broken(self) -> Iterator[None]:
        """What keeps the file from being read, as a person can mend it."""
        try:
            yield
        except MarkedYAMLError as error:
            raise broken_yaml(
                self.path, error, "Mend that line, or put the file aside and connect again."
            ) from error
        except (YAMLError, UnicodeDecodeError) as error:
            raise UsageError(
                f"{self.path} is not YAML: {_first_line(error)}.", hint="Mend it or put it aside."
            ) from error
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot be read ({error.strerror}).", hint="May you read it?"
            ) from error
        except _NoMapping as error:
            raise UsageError(
                f"{self.path} is not a mapping.", hint="It starts with 'version: 1' and 'connections:'."
            ) from error

    def _check(self, plain: Any, find_document: Callable[[], CommentedMap]) -> Settings:
        """The settings in plain values; ``find_document`` gives the lines that a mistake is told with."""
        try:
            settings = read_settings(plain)
            self._check_kinds(settings)
            return settings
        except Misplaced as wrong:
            line = _line_of(find_document(), wrong.place)
            where = f", line {line}" if line else ""
            raise UsageError(
                f"{self.path}{where}: {name_place(wrong.place)} {wrong.reason}.",
                hint=f"Allowed: {wrong.allowed}.",
            ) from wrong

    def _check_kinds(self, settings: Settings) -> None:
        if self._list_senders is not None and settings.senders:
            _refuse_unknown_senders(settings, self._list_senders())
        if self._list_kinds is None or not settings.connections:
            return
        known = self._list_kinds()
        for name, connection in settings.connections.items():
            if connection.kind not in known:
                place = ("connections", name, "kind")
                raise Misplaced(place, f"is '{connection.kind}'", "one of " + ", ".join(known))
            if known[connection.kind].token_decides:
                _refuse_shared_token(name, connection)


def _refuse_unknown_senders(settings: Settings, known: Collection[str]) -> None:
    for name, sender in settings.senders.items():
        if sender.kind not in known:
            raise Misplaced(
                ("senders", name, "kind"), f"is '{sender.kind}'", "one of " + ", ".join(sorted(known))
            )


def _refuse_shared_token(name: str, connection: ConnectionSettings) -> None:
    """Where the token decides whose state it is, one that serves two logins would mix two persons."""
    used: dict[str, str] = {}
    for login in connection.logins():
        same = same_login(used.setdefault(login.token, login.user_id), login.user_id)
        if not same and login.place is not None:
            missing = connection.accounts[login.place].token is None
            raise Misplaced(
                ("connections", name, "accounts", login.place, *(() if missing else ("token",))),
                "lacks 'token'" if missing else "is the token of another login",
                f"a token of {login.user}'s own: {connection.kind} acts for whoever the token belongs to",
            )


def load_plain_yaml(path: Path) -> Any:
    """The plain values of any YAML file. Raises UsageError naming the place of a mistake."""
    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).", hint="Is the path right?") from error
    except MarkedYAMLError as error:
        raise broken_yaml(path, error, "Mend that line.") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not YAML: {_first_line(error)}.", hint="Is it the right file?"
        ) from error


def broken_yaml(path: Path, error: MarkedYAMLError, hint: str) -> UsageError:
    """One line with file, line and column for what the parser found."""
    mark = error.problem_mark or error.context_mark
    where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return UsageError(f"{path}{where}: {error.problem or error.context or 'not YAML'}.", hint=hint)


def put_connection(
    document: CommentedMap, name: str, connection: ConnectionSettings, replaces: str | None
) -> None:
    """Put a connection into the document; what is left at its default is left out, comments of others stay."""
    connections = document.get("connections")
    if not isinstance(connections, CommentedMap) or not connections:
        connections = CommentedMap()  # the empty one is written {} and would keep that look
        document["connections"] = connections
    plain = {
        key: value for key, value in msgspec.to_builtins(connection).items() if _worth_writing(key, value)
    }
    for login in plain.get("accounts", ()):
        for key in ("token", "shared"):
            if not login[key]:
                del login[key]
    old = connections.get(replaces or name)
    if isinstance(old, CommentedMap):
        if isinstance(logins := old.get("accounts"), CommentedSeq) and "accounts" in plain:
            plain["accounts"] = _update_accounts(logins, plain["accounts"])
        for key in [key for key in old if key not in plain]:
            del old[key]
        old.update(plain)
        plain = old
    if replaces and replaces != name and replaces in connections:
        connections.insert(list(connections).index(replaces), name, plain)
        del connections[replaces]
    else:
        connections[name] = plain


def put_sender(
    document: CommentedMap, name: str, sender: SenderSettings | None, replaces: str | None
) -> None:
    """Put a sender into the document, in the place of the one that ``replaces`` names; None takes that one out."""
    senders = document.get("senders")
    if not isinstance(senders, CommentedMap) or not senders:
        senders = document["senders"] = CommentedMap()
    old = senders.get(replaces) if replaces else None
    if sender is None:
        senders.pop(replaces, None)
    else:
        plain = msgspec.to_builtins(sender)
        entry = old if isinstance(old, CommentedMap) else CommentedMap()
        for key in [key for key in entry if key not in plain]:
            del entry[key]
        entry.update(plain)
        place = list(senders).index(replaces) if replaces in senders else len(senders)
        if replaces in senders:
            del senders[replaces]
        senders.insert(place, name, entry)
    if not senders:
        del document["senders"]


def _update_accounts(known: CommentedSeq, wanted: list[dict[str, Any]]) -> CommentedSeq:
    """The list as wished for, with what a person wrote beside the entries that stay."""
    places = {_name_account(each): each for each in wanted}
    for place in reversed(range(len(known))):
        entry = places.pop(_name_account(known[place]), None)
        if entry is None:
            del known[place]
        else:
            for key in [key for key in known[place] if key not in entry]:
                del known[place][key]
            known[place].update(entry)
    known.extend(places.values())
    return known


def _name_account(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry["user_id"]), str(entry["person"]) if entry.get("shared") else ""


def put_schedule(document: CommentedMap, told: Mapping[str, Any]) -> None:
    """Put parts of the schedule into the document; the others and their comments stay."""
    if isinstance(schedule := document.get("schedule"), CommentedMap):
        schedule.update(told)
    else:
        document["schedule"] = CommentedMap(told)


def put_notice(document: CommentedMap, name: str, rule: NoticeSettings | None) -> None:
    """Put a rule of notices into the document, in the place of the one of that name; None takes it out."""
    rules = document.get("notices")
    if not isinstance(rules, CommentedSeq):
        rules = document["notices"] = CommentedSeq()
    places = [place for place, each in enumerate(rules) if each["name"].casefold() == name.casefold()]
    if rule is None:
        for place in places:
            del rules[place]
    elif places:
        old, new = rules[places[0]], msgspec.to_builtins(rule)
        for key in [key for key in old if key not in new]:
            del old[key]
        old.update(new)
    else:
        rules.append(CommentedMap(msgspec.to_builtins(rule)))
    if not rules:
        del document["notices"]


def put_people(document: CommentedMap, names: Sequence[str]) -> None:
    """Put the list of those who are known without a login into the document; no list where it is empty."""
    if not names:
        document.pop("people", None)
        return
    known = document.setdefault("people", CommentedSeq())
    for place in reversed(range(len(known))):
        if known[place] not in names:
            del known[place]
    known.extend(name for name in names if name not in known)


def _worth_writing(key: str, value: Any) -> bool:
    if key == "libraries":
        return any(value.values())
    if key == "scan":
        return not value
    return not (key in ("options", "paths", "server_id", "schedule", "accounts", "anchors") and not value)


def _plain(value: Any) -> Any:
    """The value without what ruamel keeps beside it."""
    if isinstance(value, dict):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    return value


class _NoMapping(Exception):
    """A list or a word stands where the settings should."""


def _load_document(text: str) -> CommentedMap:
    document = _yaml().load(text)
    if document is None:
        return CommentedMap()
    if not isinstance(document, CommentedMap):
        raise _NoMapping
    return document


@lru_cache(maxsize=4)
def _load_plain(text: str) -> Any:
    """Plain values, to be copied before anybody keeps them: a text is parsed once, which takes longer than all the rest."""
    return _plain(_load_document(text))


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _dump(document: CommentedMap) -> str:
    out = io.StringIO()
    _yaml().dump(document, out)
    return out.getvalue()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or ["unreadable"])[0]


def _line_of(document: Any, place: tuple[str | int, ...]) -> int | None:
    """The 1-based line of a place, or of the nearest thing above it."""
    line: int | None = None
    for part in place:
        try:
            mark = document.lc.key(part) if isinstance(part, str) else document.lc.item(part)
            line = mark[0] + 1
            document = document[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line
