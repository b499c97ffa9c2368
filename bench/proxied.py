"""nginx before a server of the house, as ``playhead proxy nginx`` writes it, its deliverer, and a client that goes through it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from contextlib import suppress

from bench.house import LONGEST_S, House, until
from bench.ports import find_port
from bench.servers import find_nginx

CLIENT = "bench-player"


class Proxy:
    """nginx and deliverer before one Plex server; ``url`` is what clients use. ``more`` are options of ``proxy nginx``."""

    def __init__(self, house: House, server: str, *more: str) -> None:
        self._folder = house.home.parent / f"proxy-{server}"
        self._port = find_port()
        self.url = f"http{'s' if '--certificate' in more else ''}://127.0.0.1:{self._port}"
        user = ["--user", "root"] if os.geteuid() == 0 else []
        house.run(
            "proxy", "nginx", server, "--complete", "--listen", f"127.0.0.1:{self._port}",
            "--plex-url", house.servers[server]["url"], "--folder", str(self._folder), "--base-url", house.url, *user, *more,
        )  # fmt: skip
        self._nginx: subprocess.Popen[bytes] | None = None
        self._deliverer: subprocess.Popen[bytes] | None = None
        self.start_nginx()
        self.start_deliverer()

    def start_nginx(self) -> None:
        """Start nginx and wait until it listens."""
        config, errors = self._folder / "nginx.conf", self._folder / "error.log"
        command = [find_nginx(), "-e", str(errors), "-c", str(config), "-g", "daemon off;"]
        self._nginx = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        until(self._listens, "nginx that listens")

    def start_deliverer(self) -> None:
        """Start the deliverer, the one file that needs no Playhead."""
        file, url = self._folder / "deliver.py", self._folder / "hub.url"
        command = [sys.executable, str(file), "--spool", str(self._folder / "spool"), "--url-file", str(url)]
        self._deliverer = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """``kill -9`` for nginx with its workers, and for the deliverer."""
        if self._nginx is not None:
            os.killpg(self._nginx.pid, signal.SIGKILL)
            self._nginx.wait(LONGEST_S)
        if self._deliverer is not None:
            self._deliverer.kill()
            self._deliverer.wait(LONGEST_S)

    def _listens(self) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self._port)) == 0


def send(url: str, route: str, token: str, **parameters: str | int) -> None:
    """One request of a client, sent again while nobody answers, as apps do."""
    query = urllib.parse.urlencode({"identifier": "com.plexapp.plugins.library", **parameters})
    headers = {"X-Plex-Token": token, "X-Plex-Client-Identifier": f"{CLIENT}-{token[:6]}"}
    end = time.monotonic() + LONGEST_S
    while True:
        request = urllib.request.Request(f"{url}/:/{route}?{query}", headers=headers)
        with suppress(OSError), urllib.request.urlopen(request, timeout=10):
            return
        if time.monotonic() > end:
            sys.exit(f"never: an answer to /:/{route}")
        time.sleep(0.1)


def list_keys(url: str, token: str) -> dict[str, str]:
    """Rating keys of all films by title, as a client lists them."""
    request = urllib.request.Request(
        f"{url}/library/sections/1/all?type=1", headers={"X-Plex-Token": token, "Accept": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        rows = json.load(answer)["MediaContainer"]["Metadata"]
    return {row["title"]: row["ratingKey"] for row in rows}
