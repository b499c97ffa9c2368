"""``bin/bench import``: the first import of four servers and the import with nothing changed, beside the floor.

Every figure is that of a whole process of its own: the program as a person runs it (``playhead import``), or the floor
(the same bytes fetched and decoded, nothing else).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.measure import Cost, describe_machine, run
from bench.servers import USER, Nginx, Site, find_nginx, record

TOKEN = {"BENCH_TOKEN": "bench"}


def main() -> None:
    """Record, serve, measure, print."""
    parser = argparse.ArgumentParser(prog="bin/bench import", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures as one flat object")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="keep bodies and databases in this folder")
    options = parser.parse_args()
    find_nginx()
    scale = 0.1 if options.quick else 1.0
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="playhead-bench-") as temporary:
        folder = (options.keep or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        with console.status("Making the libraries; the adapters say what they ask for ..."):
            sites = record(folder, scale, lambda sites: _ask(folder / "recording", sites))
        with Nginx(sites, folder):
            figures = _measure(folder, sites, console)
    _print(figures)
    if options.json:
        flat = {
            "items": int(figures["items"].output),
            **{
                f"{name}_{unit}": round(getattr(figures[name], unit), 3)
                for name, unit in (
                    ("first", "wall_s"),
                    ("first", "cpu_s"),
                    ("first", "rss_mb"),
                    ("unchanged", "wall_s"),
                    ("unchanged", "cpu_s"),
                    ("unchanged", "rss_mb"),
                    ("floor", "wall_s"),
                    ("floor", "cpu_s"),
                )
            },
        }
        options.json.write_text(json.dumps(flat) + "\n")


def _ask(home: Path, sites: list[Site]) -> None:
    """Two imports, as they are measured later: the second asks for what a second import asks for."""
    make_home(home, sites)
    for _ in range(2):
        run(["-m", "playhead", "import", "--home", str(home), "--json"], TOKEN)


def make_home(home: Path, sites: list[Site]) -> Path:
    """A home folder with the recorded sites as its connections."""
    home.mkdir(parents=True)
    connections = {
        site.name: {
            "kind": site.kind,
            "url": site.url,
            "user": "bench",
            "user_id": USER if site.kind != "plex" else "1",
            "person": "Bench",
            "token": "env:BENCH_TOKEN",
            "server_id": f"bench{number}",
            **({"options": {"plex_tv_url": ""}} if site.kind == "plex" else {}),
        }
        for number, site in enumerate(sites)
    }
    (home / "playhead.yaml").write_text(
        json.dumps({"version": 1, "connections": connections})
    )  # JSON is YAML
    return home


def _measure(folder: Path, sites: list[Site], console: Console) -> dict[str, Cost]:
    plan = folder / "floor.json"
    plan.write_text(
        json.dumps(
            [
                {
                    "kind": site.kind,
                    "url": site.url,
                    "paths": [uri for uri in site.bodies if _is_full_list(uri)],
                }
                for site in sites
            ]
        )
    )
    home = folder / "home"
    make_home(home, sites)
    command = ["-m", "playhead", "import", "--home", str(home), "--json"]
    with console.status("Measuring ..."):
        floor = min((run(["-m", "bench.floor", str(plan)]) for _ in range(3)), key=lambda cost: cost.cpu_s)
        first = run(command, TOKEN)
        unchanged = run(command, TOKEN)
        again = run(command, TOKEN)
        full = run([*command, "--full"], TOKEN)
    items = Cost(0, 0, 0, str(_count(first)))
    size = sum(
        path.stat().st_size for site in sites for uri, path in site.bodies.items() if _is_full_list(uri)
    )
    disk = sum(path.stat().st_size for path in home.glob("playhead.db*"))
    sizes = Cost(0, 0, 0, f"{size / 1e6:,.0f} MB of bodies, {disk / 1e6:,.0f} MB of database")
    return {
        "floor": floor,
        "first": first,
        "unchanged": unchanged,
        "again": again,
        "full": full,
        "items": items,
        "sizes": sizes,
    }


def _is_full_list(uri: str) -> bool:
    """Whether the first import asks for it: not the leaner lists of later passes, and no single answers."""
    return "X-Plex-Container-Start=" in uri or ("imit=" in uri and "ields=" in uri)


def _count(cost: Cost) -> int:
    return sum(read["items"] for read in json.loads(cost.output)["read"].values())


def _print(figures: dict[str, Cost]) -> None:
    floor = figures["floor"]
    title = f"{int(figures['items'].output):,} items of 2 Plex, 1 Jellyfin, 1 Emby; {figures['sizes'].output}"
    table = Table(title=title, caption=describe_machine())
    for column in ("", "wall s", "CPU s", "peak MB", "CPU / floor"):
        table.add_column(column, justify="right" if column else "left")
    rows = {
        "floor": "floor: fetch and decode",
        "first": "first import",
        "unchanged": "nothing changed",
        "again": "nothing changed, once more",
        "full": "nothing changed, --full",
    }
    for name, label in rows.items():
        cost = figures[name]
        ratio = f"{cost.cpu_s / floor.cpu_s:.2f}"
        table.add_row(label, f"{cost.wall_s:.2f}", f"{cost.cpu_s:.2f}", f"{cost.rss_mb:.0f}", ratio)
    Console().print(table)


if __name__ == "__main__":
    main()
