"""The reference pages, printed from the code: ``python -m playhead.faces.cli.reference docs/reference``.

What stands there is what ``--help`` says and what the settings types allow, so that the pages cannot be wrong for long: a
test compares them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import typer

from playhead.adapters import find_manifests
from playhead.faces.cli.app import make_app
from playhead.library_settings import LibraryChoice, PathMapping, ScanSettings, TriggerSettings, WatchSettings
from playhead.notice_settings import NoticeSettings
from playhead.sender_settings import SenderSettings
from playhead.settings import (
    AccountSettings,
    ConnectionSettings,
    GuardSettings,
    MatchingSettings,
    ProgressSettings,
    ScheduleSettings,
    ServeSettings,
)
from playhead.wiring.installation import list_sender_kinds, load_named

_HIDDEN = {"--help", "--install-completion", "--show-completion"}
_MADE = "<!-- Made by: python -m playhead.faces.cli.reference docs/reference -->\n"


def render_commands() -> str:
    """``docs/reference/cli.md``."""
    root: Any = typer.main.get_command(make_app())
    lines = [
        "# Commands\n",
        _MADE,
        f"{root.help}\n",
        "`bin/run ARGS` is `playhead ARGS`. Every command takes `--help`; `playhead --install-completion` sets up the shell's",
        "completion. Exit codes: 0 done, 1 failed, 2 usage, 3 held for a person, 4 partly done, 130 interrupted.\n",
    ]
    for name in sorted(root.commands):
        lines += _render(f"playhead {name}", root.commands[name], 2)
    return "\n".join(lines).rstrip() + "\n"


def _render(path: str, command: Any, level: int) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join([path, *(_argument(p) for p in arguments)])
    yield f"{'#' * level} {usage}\n"
    yield f"{(command.help or '').strip()}\n"
    if command.epilog:
        label, _, example = command.epilog.strip().partition(": ")
        yield f"{label}: `{example}`\n"
    options = [p for p in command.params if p not in arguments and p.opts[0] not in _HIDDEN]
    if arguments or options:
        yield "| | |"
        yield "|---|---|"
        for argument in arguments:
            yield f"| `{_argument(argument)}` | {_cell(argument.help or '')} |"
        for option in options:
            yield f"| `{_names(option)}` | {_cell((option.help or '') + _default(option) + _variable(option))} |"
        yield ""
    for name in sorted(getattr(command, "commands", {})):
        yield from _render(f"{path} {name}", command.commands[name], level + 1)


def _argument(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _names(option: Any) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag or getattr(option, "count", False):
        return names
    return f"{names} {option.metavar or option.name.upper()}"


def _default(option: Any) -> str:
    if not option.show_default or option.default in (None, False, 0, ()) or option.secondary_opts:
        return ""
    return f" Default: {option.default}."


def _variable(option: Any) -> str:
    return f" Environment: {option.envvar}." if isinstance(option.envvar, str) else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


_PARTS: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("connections.NAME", ConnectionSettings),
    ("connections.NAME.accounts[]", AccountSettings),
    ("connections.NAME.libraries", LibraryChoice),
    ("connections.NAME.paths[]", PathMapping),
    ("senders.NAME", SenderSettings),
    ("guards", GuardSettings),
    ("matching", MatchingSettings),
    ("progress", ProgressSettings),
    ("schedule", ScheduleSettings),
    ("serve", ServeSettings),
    ("scans", ScanSettings),
    ("triggers", TriggerSettings),
    ("watch[]", WatchSettings),
    ("notices[]", NoticeSettings),
)
_MEANINGS = {
    "kind": "the backend: " + ", ".join(find_manifests()),
    "url": "the server's address",
    "senders.NAME kind": "the program: " + ", ".join(list_sender_kinds()),
    "senders.NAME key": "where its API key is: `store:NAME`, `env:NAME` or `file:PATH`",
    "senders.NAME look_every_s": "seconds between two looks at its history in `serve`, for what was not posted; 0 = never",
    "sweep_every_s": "seconds between two looks at all that it has, for what leaves no trace in the history; 0 = never",
    "verify_tls": "off only for an https address whose certificate is not for its name",
    "user": "the login there, for people",
    "user_id": "the login there, as the server numbers it",
    "person": "whose watch state it is; `''` for the connection's own login = nobody's",
    "accounts": "further logins of the same server, as below; what is said of libraries, paths, read and write holds for all",
    "token": "where the token is: `store:NAME`, `env:NAME` or `file:PATH`; none for a further login = the connection's own",
    "shared": "several persons watch there: one entry for each of them; it is read for each and never written",
    "server_id": "who answered when it was connected; another one is not read",
    "read": "take over what was watched there",
    "write": "mark there what was watched elsewhere",
    "listen": "keep a line open to it in `serve`; off = webhooks, proxy and reads by schedule alone",
    "look_every_s": "seconds between two quick looks in `serve`, where no line tells of marks by hand; 0 = never",
    "libraries": "which take part",
    "senders.NAME paths": "folders as it sees them and what the hub calls them; none = those of `triggers`",
    "paths": "folders of the server and what the hub calls them",
    "proxy_host": "how clients call the proxy before the server, as `host:port`; needed only where several post to one address",
    "schedule": "when `serve` syncs this one, as below; then not with the others",
    "options": "the backend's own settings, below",
    "include": "only these, by title or id; empty = all",
    "exclude": "not these",
    "server": "the folder as the server sees it",
    "hub": "the same folder as the hub calls it",
    "expression": "`server` or `hub`: that side is a regular expression, the other what takes the place of what fits; it serves "
    "that one direction",
    "ignore_case": "upper and lower case alike, as on a Mac; on Windows' drives and shares they always are",
    "scan": "have its libraries scanned when files arrive",
    "anchors": "files or folders, as the hub sees them, that must be there before libraries beside and below are scanned",
    "quiet_s": "so long is waited for more of a burst of files in one folder",
    "longest_quiet_s": "and at most so long, from its first",
    "look_for_s": "so long an item is looked for after a scan was asked for, or has ended, before more is scanned",
    "busy_longest_s": "so long is waited for a library that is being scanned",
    "appear_within_s": "so long is waited for a file that was told of and is not on this machine's disk yet",
    "keep_days": "so many days an ended job can be looked at",
    "folder": "a folder as the hub sees it; [what arrives in it](../how-to/hear-of-downloads.md) starts a scan",
    "polling": "look at it every so many seconds, as shares that send no events need; nothing = the system's events",
    "settle_s": "a file that grew within so many seconds is not whole yet; one that was closed after writing is",
    "plexlib": "PlexLib's `/update/LIBRARY/` and `/update/from_name/`",
    "autoscan": "autoscan's `/triggers/manual`",
    "arr": "autoscan's `/triggers/sonarr`, `radarr`, `lidarr` and `readarr`",
    "notices[] name": "what the rule is called",
    "notices[] to": "where the apprise address is: `store:NAME`, `env:NAME` or `file:PATH`; it may hold several",
    "notices[] person": "only what is on servers where this person has a login",
    "notices[] connections": "only what is on these; empty = all",
    "notices[] libraries": "only these, by title or id; empty = all",
    "kinds": "only these of `movies`, `episodes`, `other`; empty = all",
    "upgrades": "tell of better files of known items, too",
    "admin": "tell of Playhead's own failures, once, and of their end, once; and of nothing else",
    "template": "`standard`, `plexlib`, or a folder in `templates` of the home folder",
    "notices[] quiet_s": "so long nothing more must come before a notice goes out",
    "longest_wait_s": "and at most so long the first waits",
    "most_a_day": "at most so many notices in 24 hours; the rest goes into the next",
    "max_removal_share": "ask before more than this share of a person's watched items is unmarked at once",
    "max_removals_without_question": "so many removals are never asked about",
    "max_shrink_share": "ask when a list is shorter by more than this share",
    "max_clock_skew_s": "seconds by which a server's clock may differ before `doctor` warns",
    "file": "know an item by its file under mapped paths, where ids do not tell",
    "title": "know an item by exactly the same title and year, where nothing else tells",
    "min_position_s": "a shorter position is no resume point",
    "watched_threshold": "a position past this share of the run time is no resume point",
    "sync": "when `serve` starts a sync, in cron's five fields and local time; empty = never",
    "full": "the same for a full one, which skips no page that seems unchanged",
    "at_start": "sync when `serve` starts, too",
    "host": "the address on which `serve` listens; `0.0.0.0` for all of this machine's",
    "port": "the port on which it listens; 0 = any free one",
    "base_url": "how servers reach it, for the webhooks' addresses; empty = where it listens",
    "max_runtime_difference_s": "no position is carried between run times that differ by more",
}


def render_settings() -> str:
    """``docs/reference/settings.md``."""
    lines = [
        "# Settings\n",
        _MADE,
        "All settings stand in `playhead.yaml` in the home folder. The command line edits it and keeps comments; you may edit it",
        "as well. What is not there has its default; a wrong value is named with its line and what is allowed. `people` lists",
        "those who are known without having a login yet.\n",
        "```yaml",
        _SAMPLE.rstrip(),
        "```\n",
    ]
    for place, struct in _PARTS:
        lines += [f"## {place}\n", "| setting | default | meaning |", "|---|---|---|"]
        for field in msgspec.structs.fields(struct):
            meaning = _MEANINGS.get(f"{place} {field.name}") or _MEANINGS[field.name]
            lines.append(f"| `{field.name}` | {_field_default(field)} | {meaning} |")
        lines.append("")
    for manifest in find_manifests().values():
        lines += [
            f"## connections.NAME.options, {manifest.title}\n",
            "| setting | default | meaning |",
            "|---|---|---|",
        ]
        for field in msgspec.structs.fields(load_named(manifest.settings)):
            if field.name != "url":
                lines.append(
                    f"| `{field.name}` | {_field_default(field)} | {_extra(field.type).get('help', '')} |"
                )
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


_SAMPLE = """\
version: 1
people:
  - robin
connections:
  Den:
    kind: plex
    url: http://10.0.0.5:32400
    user: alex
    user_id: "1"
    person: alex
    token: store:den
    server_id: 5c1f0a2b
    read: true
    write: true
    libraries:
      exclude:
        - Home videos
    paths:
      - server: /data/movies
        hub: /films
    options:
      timeout_s: 120
    accounts:
      - user: sam
        user_id: "31646104"
        person: sam
        token: store:den-sam
senders:
  Sonarr:
    kind: sonarr
    url: http://10.0.0.5:8989
    key: store:sonarr
    paths:
      - server: /tv
        hub: /films/tv
guards:
  max_removal_share: 0.2
  max_removals_without_question: 5
progress:
  min_position_s: 60
schedule:
  sync: "*/15 * * * *"
  full: "0 3 * * *"
serve:
  base_url: https://hub.example.org
watch:
  - folder: /films
  - folder: /mnt/nas/tv
    polling: 60
"""


def _field_default(field: msgspec.structs.FieldInfo) -> str:
    if field.default_factory is not msgspec.NODEFAULT:
        return "none"
    value = field.default
    if value is msgspec.NODEFAULT:
        return "needed"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, msgspec.Struct):
        return "all"
    return f"`{value}`" if value not in ("", [], {}) else "none"


def _extra(annotation: Any) -> dict[str, Any]:
    for meta in getattr(annotation, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.extra:
            return meta.extra
    return {}


def main(folder: Path) -> None:
    """Write both pages."""
    (folder / "cli.md").write_text(render_commands())
    (folder / "settings.md").write_text(render_settings())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
