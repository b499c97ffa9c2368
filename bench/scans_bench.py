"""``bin/bench scans``: a name found among half a million files, the index made for the first time and kept by change.

Every figure is that of a whole process of its own, beside the floor: a plain ``os.walk`` that keeps nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import Cost, describe_machine, run
from playhead.ports.file_index import Root
from playhead.store.file_index import SqlFileIndex

EPISODES, SEASONS = 20, 12
FINDS, CHANGES = 2_000, 200
LONG_AGO = (1_700_000_000, 1_700_000_000)


def main() -> None:
    """Make the tree, measure, print."""
    parser = argparse.ArgumentParser(prog="bin/bench scans", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures as one flat object")
    parser.add_argument("--step", nargs=2, metavar=("STEP", "DIR"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        step, folder = options.step
        print(json.dumps(STEPS[step](Path(folder))))  # noqa: T201
        return
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="playhead-bench-") as temporary:
        folder = Path(temporary)
        with console.status("Making the tree ..."):
            make_tree(folder / "tv", 50_000 if options.quick else 500_000)
        with console.status("Measuring ..."):
            costs = {step: _run(step, folder) for step in STEPS}
        size_mb = sum(path.stat().st_size for path in folder.glob("files.db*")) / 1e6
    _print(costs, size_mb)
    if options.json:
        options.json.write_text(json.dumps(_flatten(costs)) + "\n")


def _run(step: str, folder: Path) -> tuple[Cost, dict[str, Any]]:
    cost = run(["-m", "bench.scans_bench", "--step", step, str(folder)])
    return cost, json.loads(cost.output)


def name_episode(show: int, season: int, episode: int) -> str:
    """A name such as libraries have, with some that are not plain ASCII."""
    title = f"Les Misérables {show:04}" if show % 7 == 0 else f"My Fancy Show {show:04}"
    return f"{title} - S{season:02}E{episode:02} - Awesome Episode [WEBDL-1080p][EAC3 5.1][x265]-GROUP.mkv"


def make_tree(root: Path, files: int) -> None:
    """Shows with seasons with empty episodes, whose folders were last changed long ago."""
    shows = -(-files // (SEASONS * EPISODES))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        left = [min(SEASONS * EPISODES, files - show * SEASONS * EPISODES) for show in range(shows)]
        list(pool.map(_make_show, [str(root)] * shows, range(shows), left, chunksize=50))
    os.utime(root, LONG_AGO)


def _make_show(root: str, show: int, files: int) -> None:
    folder = f"{root}/Show {show:04}"
    for season in range(-(-files // EPISODES)):
        place = f"{folder}/Season {season:02}"
        os.makedirs(place)
        for episode in range(min(EPISODES, files - season * EPISODES)):
            os.close(os.open(f"{place}/{name_episode(show, season, episode)}", os.O_CREAT | os.O_WRONLY))
        os.utime(place, LONG_AGO)
    os.utime(folder, LONG_AGO)


def _walk(folder: Path) -> dict[str, Any]:
    """The floor: every name seen once."""
    counts: list[int] = []
    took_s = _time(lambda: counts.extend(len(files) for _, _, files in os.walk(folder / "tv")))
    return {"floor_s": took_s, "files": sum(counts)}


def _open(folder: Path) -> SqlFileIndex:
    index = SqlFileIndex(folder / "files.db")
    index.keep_roots([Root(str(folder / "tv"))])
    return index


def _first(folder: Path) -> dict[str, Any]:
    index = _open(folder)
    took_s = _time(lambda: index.compare(str(folder / "tv")))
    return {"index_first_s": took_s, "files": index.list_states()[0].files}


def _unchanged(folder: Path) -> dict[str, Any]:
    index = _open(folder)
    return {"index_unchanged_ms": 1000 * _time(lambda: index.compare(str(folder / "tv")))}


def _find(folder: Path) -> dict[str, Any]:
    """Names that are there, in an index just opened; one in ten in capitals, one in ten not there."""
    index = _open(folder)
    places = index.list_folders(str(folder / "tv"))
    chance = random.Random(7)
    took_ms = []
    for number in range(FINDS):
        place = chance.choice([each for each in chance.sample(places, 20) if "Season" in each])
        name = chance.choice(os.listdir(place))
        asked = name.upper() if number % 10 == 1 else "not " + name if number % 10 == 2 else name
        found: list[str] = []
        took_ms.append(1000 * _time(lambda asked=asked, found=found: found.extend(index.find(asked))))  # type: ignore[misc]
        if found != ([] if number % 10 == 2 else [f"{place}/{name}"]):
            sys.exit(f"{asked} was found at {found}")
    took_ms.sort()
    return {
        "find_p50_ms": took_ms[FINDS // 2],
        "find_p99_ms": took_ms[FINDS * 99 // 100],
        "find_worst_ms": took_ms[-1],
    }


def _change(folder: Path) -> dict[str, Any]:
    """A new file, heard of by its folder (as from the watcher), and one found by comparing all folders."""
    index = _open(folder)
    root = str(folder / "tv")
    told, compared = [], []
    for number, place in enumerate(_pick(index, root)):
        name = f"Brand New Show - S01E{number:03}.mkv"
        os.close(os.open(f"{place}/{name}", os.O_CREAT | os.O_WRONLY))
        if number < CHANGES:
            told.append(1000 * _time(lambda place=place: index.compare_folders(root, [place])))  # type: ignore[misc]
        else:
            compared.append(1000 * _time(lambda: index.compare(root)))
        if index.find(name) != [f"{place}/{name}"]:
            sys.exit(f"{name} was not found")
    return {
        "index_change_ms": sorted(told)[len(told) * 99 // 100],
        "index_compare_ms": sorted(compared)[len(compared) // 2],
    }


def _pick(index: SqlFileIndex, root: str) -> Iterator[str]:
    seasons = [each for each in index.list_folders(root) if "Season" in each]
    return iter(random.Random(8).sample(seasons, CHANGES + 5))


def _time(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


STEPS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "floor": _walk,
    "first": _first,
    "unchanged": _unchanged,
    "find": _find,
    "change": _change,
}


def _flatten(costs: dict[str, tuple[Cost, dict[str, Any]]]) -> dict[str, float]:
    flat = {name: value for _, figures in costs.values() for name, value in figures.items()}
    return {
        **{name: round(value, 3) for name, value in flat.items()},
        "first_rss_mb": round(costs["first"][0].rss_mb, 1),
        "find_rss_mb": round(costs["find"][0].rss_mb, 1),
    }


def _print(costs: dict[str, tuple[Cost, dict[str, Any]]], size_mb: float) -> None:
    flat = _flatten(costs)
    title = f"{flat['files']:,} files; the index takes {size_mb:,.0f} MB of disk"
    table = Table(title=title, caption=describe_machine())
    for column in ("", "result", "CPU s", "peak MB"):
        table.add_column(column, justify="right" if column else "left")
    rows = {
        "floor": ("floor: os.walk, nothing kept", f"{flat['floor_s']:.2f} s"),
        "first": ("index made for the first time", f"{flat['index_first_s']:.2f} s"),
        "unchanged": ("all folders compared, nothing changed", f"{flat['index_unchanged_ms']:.0f} ms"),
        "find": (
            "a name found: median, 99 of 100, worst",
            f"{flat['find_p50_ms']:.2f}, {flat['find_p99_ms']:.2f}, {flat['find_worst_ms']:.2f} ms",
        ),
        "change": (
            "one new file: its folder told (99 of 100), all folders compared",
            f"{flat['index_change_ms']:.2f} ms, {flat['index_compare_ms']:.0f} ms",
        ),
    }
    for step, (label, result) in rows.items():
        table.add_row(label, result, f"{costs[step][0].cpu_s:.2f}", f"{costs[step][0].rss_mb:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
