"""Prints what the adapters import from the recorded answers beside what the files hold: ``python -m tests.replay.table``."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from playhead.sandbox.replay import RecordingSet, load_sets
from tests.replay.importing import EXPLAINED, Comparison, compare_lists, flatten, total

COLUMNS = ("items", "ids", "shows", "watched", "in progress", "rated", "favourite")


def recorded_folder() -> Path:
    told = os.environ.get("PLAYHEAD_TRUTH")
    root = Path(told) if told else Path(__file__).resolve().parents[2].parent / "shared" / "truth"
    return root / "recorded"


async def run(folder: Path) -> list[tuple[RecordingSet, list[Comparison]]]:
    sets = load_sets(folder).values()
    return [(entry, await compare_lists(entry)) for entry in sets if entry.lists]


def split(recorded: RecordingSet, lists: list[Comparison]) -> list[tuple[str, list[Comparison]]]:
    """A line for each list of Plex and Emby, one for each tape of Jellyfin."""
    if recorded.kind == "jellyfin":
        return [(recorded.name, lists)]
    return [(f"{recorded.name} {entry.recording.key}", [entry]) for entry in lists]


def main() -> int:
    folder = recorded_folder()
    if not folder.exists():
        print(f"{folder} is not there: set PLAYHEAD_TRUTH", file=sys.stderr)  # noqa: T201
        return 1
    table = Table("recording", "form", "lists", *COLUMNS, "differences", box=box.MARKDOWN)
    every: list[Comparison] = []
    for recorded, lists in asyncio.run(run(folder)):
        every += lists
        for title, part in split(recorded, lists):
            table.add_row(
                title, "+".join(sorted({e.recording.form for e in part})), str(len(part)), *cells(part)
            )
    table.add_row("all", "", str(len(every)), *cells(every))
    console = Console(width=200)
    console.print(table)
    for entry in every:
        for text in entry.differences:
            reason = EXPLAINED.get(entry.recording.key, {}).get(text, "NOT EXPLAINED")
            console.print(f"{entry.set_name} {entry.recording.key}: {text}: {reason}", markup=False)
    return 0


def cells(lists: list[Comparison]) -> list[str]:
    """``file`` where both agree, ``file / adapter`` where not, and the number of differences."""
    file, adapter = total(*flatten(lists, "file")), total(*flatten(lists, "adapter"))
    wrong = sum(len(entry.differences) for entry in lists)
    shown = [str(a) if a == b else f"{a} / {b}" for a, b in zip(file, adapter, strict=True)]
    return [*shown, str(wrong or "none")]


if __name__ == "__main__":
    sys.exit(main())
