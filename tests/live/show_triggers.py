"""One file by each trigger, on three servers, with one mail: ``python -m tests.live.show_triggers``.

PlexLib's form, a mail through the real procmail, a Sonarr's webhook, autoscan's address, and a file dropped into a watched
folder. Prints the folder scans that each server was asked for, the seconds to the proof of the last one, and the mails.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from bench.arrivals_bench import SERVERS, make_world
from bench.house import QUIET, House, ask, until
from rich.console import Console
from rich.table import Table

from playhead.biff import read_script
from tests.biff.mailbox import CASES, write_mail
from tests.faces.test_news import count_shelves
from tests.notices.mailroom import Inbox, run_mail_server

PROCMAIL = shutil.which("procmail")
SHOW = "My Fancy Show"
SCANS = {"plex": "refresh", "jellyfin": "refresh", "emby": "media/updated"}


class Shown(msgspec.Struct, frozen=True):
    """What a trigger led to."""

    trigger: str
    scans: dict[str, int]
    proved_s: float
    mails: list[str]


class Den:
    """The house, its folder of shows, its key, and where its mails go."""

    def __init__(self, house: House, media: Path, inbox: Inbox, key: str) -> None:
        self.house = house
        self.media = media
        self.inbox = inbox
        self.key = key

    def file(self, episode: int) -> Path:
        return self.media / "tv" / SHOW / "Season 07" / f"{SHOW} S07E{episode:02} Awesome Episode.mp4"

    def arrive(self, episode: int) -> Path:
        path = self.file(episode)
        path.touch()
        return path

    def post(self, path: str, body: bytes, kind: str) -> None:
        headers = {"X-Api-Key": self.key, "Content-Type": kind}
        request = urllib.request.Request(self.house.url + path, data=body, method="POST", headers=headers)
        with urllib.request.urlopen(request) as answer:
            assert answer.status in (200, 202)

    def count_scans(self) -> dict[str, int]:
        found = {}
        for server, word in SCANS.items():
            routes = ask(f"{self.house.control}/_sandbox/requests?server={server}")["servers"][server][
                "routes"
            ]
            found[server] = sum(count for route, count in routes.items() if word in route.lower())
        return found

    def jobs(self) -> list[dict[str, Any]]:
        request = urllib.request.Request(f"{self.house.url}/api/v1/scans", headers={"X-Api-Key": self.key})
        with urllib.request.urlopen(request) as answer:
            return list(json.load(answer))


def by_plexlib(den: Den) -> None:
    """``POST /update/from_name/`` with the form field ``name``."""
    name = urllib.parse.urlencode({"name": den.arrive(22).name})
    den.post("/update/from_name/", name.encode(), "application/x-www-form-urlencoded")


def by_mail(den: Den) -> None:
    """Download Station's mail, through procmail and the filter."""
    folder = den.house.home.parent / "mail"
    folder.mkdir()
    (folder / "biff.py").write_text(read_script())
    (folder / "biff.ini").write_text(f"[biff]\nurl = {den.house.url}\nkey = {den.key}\n")
    (folder / "procmailrc").write_text(
        f"SHELL=/bin/sh\nDEFAULT={folder}/inbox/\n:0 fw\n"
        f"| {sys.executable} {folder}/biff.py --echo --config {folder}/biff.ini\n"
    )
    case = CASES["synology"]
    mail = write_mail(case._replace(body=case.body.replace("S07E22", "S07E23")))
    den.arrive(23)
    subprocess.run(
        [str(PROCMAIL), "-m", str(folder / "procmailrc")],
        input=mail,
        check=True,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
    )


def by_sonarr(den: Den) -> None:
    """Sonarr's post after an import."""
    path = den.arrive(24)
    series = {"id": 1, "title": SHOW, "path": str(path.parents[1]), "tvdbId": 71000}
    body = {
        "eventType": "Download",
        "series": series,
        "episodes": [{"id": 1, "episodeNumber": 24, "seasonNumber": 7, "title": "Awesome Episode"}],
        "episodeFile": {"id": 1, "relativePath": f"Season 07/{path.name}", "path": str(path)},
        "isUpgrade": False,
    }
    den.post("/triggers/sonarr", json.dumps(body).encode(), "application/json")


def by_folder(den: Den) -> None:
    """Nobody tells: the folder is watched."""
    den.arrive(25)


def by_autoscan(den: Den) -> None:
    """``POST /triggers/manual?dir=``."""
    path = urllib.parse.quote(str(den.arrive(26)))
    den.post(f"/triggers/manual?dir={path}", b"", "application/json")


TRIGGERS: dict[str, Callable[[Den], None]] = {
    "PlexLib's form": by_plexlib,
    "mail, procmail": by_mail,
    "Sonarr": by_sonarr,
    "autoscan": by_autoscan,
    "watched folder": by_folder,
}


def run(folder: Path, names: Sequence[str] = tuple(TRIGGERS)) -> list[Shown]:
    """Go through these triggers."""
    media = folder / "media"
    season = media / "tv" / SHOW / "Season 07"
    season.mkdir(parents=True)
    (season / f"{SHOW} S07E01.mkv").touch()
    world = make_world(media, tuple(SERVERS), 0.2)
    for server in world.servers:
        server.delays["monitor_s" if server.kind != "plex" else "scan_s"] = 0.2
    with run_mail_server() as (inbox, port), House(folder, world) as house:
        for name in SERVERS:
            house.connect(name)
            house.run("connections", "set", name, "--path", f"{SERVERS[name]}={media}")
        house.set_schedule(QUIET)
        house.run("sync")
        address = f"mailto://127.0.0.1:{port}?from=hub@example.org&to=robin@example.org"
        house.run("notify", "add", "family", "--to", address, "--quiet", "3", "--template", "plexlib")
        key = json.loads(house.run("api-key", "show", "--json"))["key"]
        return list(show_all(Den(house, media, inbox, key), names))


def show_all(den: Den, names: Sequence[str]) -> Iterator[Shown]:
    """Each trigger at a hub that runs; only for the last one it watches the folder."""
    start_hub(den.house)
    for name in names:
        trigger = TRIGGERS[name]
        if trigger is by_folder:
            den.house.kill_hub()
            with (den.house.home / "playhead.yaml").open("a") as settings:
                settings.write(f"watch:\n  - {{folder: {den.media / 'tv'}, settle_s: 1}}\n")
            start_hub(den.house)
        yield show_one(den, name, trigger)


def start_hub(house: House) -> None:
    """Wait until what is there has been seen: it is no news."""
    house.serve(lines=False)
    until(lambda: count_shelves(house.home) == len(SERVERS), "the first sight of the libraries")


def show_one(den: Den, name: str, trigger: Callable[[Den], None]) -> Shown:
    """One trigger, its scans, its proof and its mail."""
    before, mails, jobs = den.count_scans(), len(den.inbox.mails), len(den.jobs())
    began = time.monotonic()
    trigger(den)
    until(lambda: len(den.jobs()) > jobs and all(is_over(job) for job in den.jobs()), f"{name}: the proof")
    proved_s = time.monotonic() - began
    until(lambda: len(den.inbox.mails) > mails, f"{name}: a mail")
    after = den.count_scans()
    lines = [
        line
        for _, mail in den.inbox.mails[mails:]
        for line in str(mail.get_body(("plain",)).get_content()).splitlines()  # type: ignore[union-attr]
        if line.startswith("- ")
    ]
    return Shown(name, {each: after[each] - before[each] for each in SCANS}, proved_s, lines)


def is_over(job: dict[str, Any]) -> bool:
    return all(part["state"] in ("proved", "scanned", "gone") for part in job["parts"])


def main() -> None:
    """The table."""
    with tempfile.TemporaryDirectory(prefix="playhead-show-") as folder:
        shown = run(Path(folder))
    table = Table(title="One file by each trigger")
    for column in ("trigger", *SCANS, "last proof, s", "in the mail"):
        table.add_column(column, justify="right" if column in SCANS or "proof" in column else "left")
    for one in shown:
        scans = [str(one.scans[server]) for server in SCANS]
        table.add_row(one.trigger, *scans, f"{one.proved_s:.1f}", " ".join(one.mails))
    Console().print(table)


if __name__ == "__main__":
    main()
