"""Every recorded webhook and frame through the adapters' readers: ``python -m tests.replay.heard``.

Judged by the raw text alone: the user of an event must be the one that its text names, its items must stand in it, and a text
that names a user's change of a film or an episode must have become an event. What is not ours is counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from playhead.adapters._mediabrowser.listening import Ear
from playhead.adapters.emby.webhook import read_webhook as read_emby
from playhead.adapters.jellyfin.webhook import read_webhook as read_jellyfin
from playhead.adapters.plex.listener import ItemsInWork, read_frame
from playhead.adapters.plex.webhook import read_webhook as read_plex
from playhead.ports.events import Event, Heard
from tests.replay.table import recorded_folder

READERS = {"jellyfin": read_jellyfin, "emby": read_emby, "plex": read_plex}
OURS = frozenset({Heard.playing, Heard.stopped, Heard.marked, Heard.rated, Heard.state})


class Message(msgspec.Struct):
    """One recorded message, what was made of it, and what is wrong with that."""

    place: str
    events: list[Event]
    wrong: str = ""


def replay(truth: Path) -> list[Message]:
    """All webhooks and frames below a folder, in the order of their files."""
    return [
        *_replay_webhooks(truth),
        *_replay_plex_frames(truth),
        *_replay_frames(truth),
        *_replay_tapes(truth),
    ]


def list_files(truth: Path) -> set[str]:
    """All files there that hold webhooks or frames."""
    tapes = {
        str(path.relative_to(truth))
        for path in (truth / "recorded" / "jellyfin").glob("*-real/*.json")
        if any("path" in e or "socket" in e for e in json.loads(path.read_bytes()).get("events") or ())
    }
    webhooks = {str(p.relative_to(truth)) for p in (truth / "webhooks").glob("*/*.json")}
    frames = {str(p.relative_to(truth)) for p in (truth / "events").glob("*/*.json")}
    emby = {str(p.relative_to(truth)) for p in (truth / "recorded" / "emby").glob("*/*websocket*.json")}
    return tapes | webhooks | frames | emby


def _replay_webhooks(truth: Path) -> Iterator[Message]:
    for path in sorted((truth / "webhooks").glob("*/*.json")):
        found = json.loads(path.read_bytes())
        lists = [each for each in found.values() if isinstance(each, list)]
        kept_in_lists = lists and all(isinstance(each, dict) and "Event" in each for each in lists[0])
        for payload in lists[0] if kept_in_lists else [found]:
            body = json.dumps(payload).encode()
            events = READERS[path.parent.name](body, {"content-type": "application/json"})
            yield _judge(truth, path, events, body)


def _replay_plex_frames(truth: Path) -> Iterator[Message]:
    """Of playback the listener makes events with the help of the sessions: its own tests show that."""
    for path in sorted((truth / "events" / "plex").glob("*.json")):
        told = read_frame(path.read_bytes(), "Plex")
        playing = [
            Event("socket", Heard.playing, f"playing.{each.state}", (str(each.ratingKey),))
            for each in told.PlaySessionStateNotification
        ]
        yield _judge(truth, path, (*playing, *ItemsInWork().hear(told.TimelineEntry)), path.read_bytes())


def _replay_frames(truth: Path) -> Iterator[Message]:
    for path in sorted((truth / "recorded" / "emby").glob("*/*websocket*.json")):
        found, ear = json.loads(path.read_bytes()), Ear("Emby")
        for frame in [found["json"]] if "json" in found else [each["json"] for each in found["events"]]:
            yield _read_frame(truth, path, ear, frame)


def _replay_tapes(truth: Path) -> Iterator[Message]:
    """What real Jellyfin servers said on each socket, and what their webhook plugin posted."""
    for path in sorted((truth / "recorded" / "jellyfin").glob("*-real/*.json")):
        ears: dict[str, Ear] = {}
        for event in json.loads(path.read_bytes()).get("events") or ():
            if event.get("dir") == "<" and isinstance(event.get("data"), dict):
                yield _read_frame(
                    truth, path, ears.setdefault(event["socket"], Ear("Jellyfin")), event["data"]
                )
            elif "path" in event and event["path"] != "/tpl":
                headers = {name.lower(): value for name, value in event["headers"].items()}
                body = event["body"].encode()
                yield _judge(truth, path, read_jellyfin(body, headers), body)


def _read_frame(truth: Path, path: Path, ear: Ear, frame: dict[str, Any]) -> Message:
    text = json.dumps(frame).encode()
    kind, events = ear.read(text)
    message = _judge(truth, path, events, text, remembers=kind == "Sessions")
    if kind == "UserDataChanged":
        data = frame["Data"]
        leaves = {row["ItemId"] for row in data["UserDataList"] if "UnplayedItemCount" not in row}
        told = {(event.user_id, native) for event in events for native in event.native_ids}
        if told != {(data["UserId"], leaf) for leaf in leaves}:
            message.wrong = f"said {leaves} of {data['UserId']}, heard {told}"
    return message


def _judge(
    truth: Path, path: Path, events: tuple[Event, ...] | list[Event], text: bytes, *, remembers: bool = False
) -> Message:
    """``remembers``: what ended since the message before stands in that one."""
    wrong = ""
    for event in events:
        named = [each for each in (event.user_id, *event.native_ids) if each is not None]
        missing = [each for each in named if each.encode() not in text + text.replace(b"-", b"")]
        if missing and not (remembers and event.what is Heard.stopped):
            wrong = f"{event.name} speaks of {missing}"
        if event.what in OURS and not event.native_ids:
            wrong = f"{event.name} names no item"
    return Message(str(path.relative_to(truth)), list(events), wrong)


def main() -> int:
    """The table: a row for each file."""
    messages = replay(recorded_folder().parent)
    table = Table(box=box.SIMPLE, title="Every recorded webhook and frame")
    for column in (
        "file",
        "messages",
        "playing",
        "stopped",
        "marked",
        "state",
        "library",
        "not ours",
        "wrong",
    ):
        table.add_column(column, justify="left" if column == "file" else "right")
    for place in [*dict.fromkeys(message.place for message in messages), ""]:
        own = [message for message in messages if place in ("", message.place)]
        heard = Counter(event.what for message in own for event in message.events)
        kinds = (Heard.playing, Heard.stopped, Heard.marked, Heard.state, Heard.library)
        silent = sum(
            not OURS & {e.what for e in m.events} - {Heard.library} and not heard_library(m) for m in own
        )
        wrong = sum(bool(message.wrong) for message in own)
        table.add_row(place or "all", *map(str, (len(own), *(heard[kind] for kind in kinds), silent, wrong)))
    Console(width=150).print(table)
    return int(any(message.wrong for message in messages))


def heard_library(message: Message) -> bool:
    """Whether a message is about a library."""
    return any(event.what is Heard.library for event in message.events)


if __name__ == "__main__":
    raise SystemExit(main())
