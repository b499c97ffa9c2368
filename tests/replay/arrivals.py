"""Every recorded post of a real Sonarr and Radarr through the readers: ``python -m tests.replay.arrivals``.

Judged by the raw bodies alone: the folder is the one that the body names, each file is where the body says it lies, and what
was made of it is what the body's kind, reason and switches mean.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from playhead.adapters.radarr.webhook import read_webhook as read_radarr
from playhead.adapters.sonarr.webhook import read_webhook as read_sonarr
from playhead.ports.arrivals import Arrival, ArrivalPost
from tests.replay.table import recorded_folder

READERS = {"sonarr": read_sonarr, "radarr": read_radarr}
COLUMNS = ("arrived", "upgraded", "renamed", "deleted", "half", "missing", "nothing")


class Told(msgspec.Struct):
    """One recorded post, what was made of it, and what is wrong with that."""

    source: str
    kind: str
    post: ArrivalPost
    wrong: str = ""


def replay(recorded: Path) -> list[Told]:
    """All posts, in the order in which they came."""
    return [told for source, reader in READERS.items() for told in _replay(recorded / source, source, reader)]


def _replay(folder: Path, source: str, reader: Any) -> Iterator[Told]:
    for path in sorted(folder.glob("*/webhooks-all.json")):
        for capture in json.loads(path.read_bytes())["captures"]:
            body = capture["body"]
            headers = {name.lower(): value for name, value in capture["headers"].items()}
            post = reader(json.dumps(body).encode(), headers)
            yield Told(source, _kind(body), post, _judge(body, post))


def _kind(body: dict[str, Any]) -> str:
    kind = str(body["eventType"])
    if "episodeFiles" in body:
        return f"{kind} (Import Complete)"
    if "isUpgrade" in body:
        return f"{kind} (upgrade)" if body["isUpgrade"] else kind
    if "deleteReason" in body:
        return f"{kind} ({body['deleteReason']})"
    if isinstance(body.get("deletedFiles"), bool):
        return f"{kind} ({'with files' if body['deletedFiles'] else 'files kept'})"
    return kind


def _judge(body: dict[str, Any], post: ArrivalPost) -> str:
    if not post.known or post.name != body["eventType"]:
        return f"read as {post.name}"
    wanted = _wanted(body)
    got = [(each.what, each.paths, each.before) for each in post.arrivals]
    if got != wanted:
        return f"{got}, not {wanted}"
    return "" if all(_fits(each, body) for each in post.arrivals) else "another folder, or no claim"


def _fits(arrival: Arrival, body: dict[str, Any]) -> bool:
    ids = {claim.split(":")[2] for claim in arrival.claims}
    holder = body.get("series") or body["movie"]
    named = {str(holder[name]) for name in ("tvdbId", "tmdbId", "imdbId") if holder.get(name)}
    return arrival.folder == _folder(body) and named <= ids


def _folder(body: dict[str, Any]) -> str:
    return str(body["series"]["path"] if "series" in body else body["movie"]["folderPath"])


def _wanted(body: dict[str, Any]) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    kind = body["eventType"]
    if kind == "Download":
        files = body.get("episodeFiles") or [body.get("episodeFile") or body.get("movieFile")]
        what = "upgraded" if body.get("isUpgrade") else "arrived"
        old = tuple(each["path"] for each in body.get("deletedFiles", ()))
        return [
            (what, (file["path"],), tuple(path for path in old if path != file["path"])) for file in files
        ]
    if kind == "Rename":
        files = body.get("renamedEpisodeFiles") or body["renamedMovieFiles"]
        return [("renamed", (file["path"],), (file["previousPath"],)) for file in files]
    if kind.endswith("FileDelete"):
        return [("deleted", ((body.get("episodeFile") or body["movieFile"])["path"],), ())]
    if body.get("deletedFiles") is True:
        return [("deleted", (_folder(body),), ())]
    return []


def main() -> int:
    """The table: a row for each kind of post."""
    told = replay(recorded_folder())
    table = Table("sender", "event type", "posts", *COLUMNS, "folder right", box=box.MARKDOWN)
    for source, kind in dict.fromkeys((each.source, each.kind) for each in told):
        table.add_row(source, kind, *_cells([t for t in told if (t.source, t.kind) == (source, kind)]))
    table.add_row("all", "", *_cells(told))
    console = Console(width=170)
    console.print(table)
    for each in told:
        if each.wrong:
            console.print(f"{each.source} {each.kind}: {each.wrong}", markup=False)
    return int(any(each.wrong for each in told))


def _cells(told: list[Told]) -> list[str]:
    """Counted by what the posts became; a post with several files counts as each of them."""
    arrivals = [arrival for each in told for arrival in each.post.arrivals]
    counts = Counter[str](each.what for each in arrivals)
    counts["half"] = sum(each.half for each in arrivals)
    counts["missing"] = sum(each.missing for each in arrivals)
    counts["nothing"] = sum(not each.post.arrivals for each in told)
    right = sum(not each.wrong for each in told)
    return [str(len(told)), *(str(counts[name] or "") for name in COLUMNS), f"{right} of {len(told)}"]


if __name__ == "__main__":
    sys.exit(main())
