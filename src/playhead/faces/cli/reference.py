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
from playhead.settings import (
    AccountSettings,
    ConnectionSettings,
    GuardSettings,
    LibraryChoice,
    MatchingSettings,
    PathMapping,
    ProgressSettings,
    ScheduleSettings,
    ServeSettings,
)
from playhead.wiring.installation import load_named

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
            yield f"| `{_names(option)}` | {_cell((option.help or '') + _default(option))} |"
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


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


_PARTS: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("connections.NAME", ConnectionSettings),
    ("connections.NAME.accounts[]", AccountSettings),
    ("connections.NAME.libraries", LibraryChoice),
    ("connections.NAME.paths[]", PathMapping),
    ("guards", GuardSettings),
    ("matching", MatchingSettings),
    ("progress", ProgressSettings),
    ("schedule", ScheduleSettings),
    ("serve", ServeSettings),
)
_MEANINGS = {
    "kind": "the backend: " + ", ".join(find_manifests()),
    "url": "the server's address",
    "user": "the login there, for people",
    "user_id": "the login there, as the server numbers it",
    "person": "whose watch state it is; `''` for the connection's own login = nobody's",
    "accounts": "further logins of the same server, as below; what is said of libraries, paths, read and write holds for all",
    "token": "where the token is: `store:NAME`, `env:NAME` or `file:PATH`; none for a further login = the connection's own",
    "server_id": "who answered when it was connected; another one is not read",
    "read": "take over what was watched there",
    "write": "mark there what was watched elsewhere",
    "libraries": "which take part",
    "paths": "folders of the server and what the hub calls them",
    "schedule": "when `serve` syncs this one, as below; then not with the others",
    "options": "the backend's own settings, below",
    "include": "only these, by title or id; empty = all",
    "exclude": "not these",
    "server": "the folder as the server sees it",
    "hub": "the same folder as the hub calls it",
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
            lines.append(f"| `{field.name}` | {_field_default(field)} | {_MEANINGS[field.name]} |")
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
