"""The bench's servers: asked once by the real adapters to learn what they request, then served by nginx from files.

While recording, an aiohttp server answers each request from the catalogue and keeps the body under the exact request
line. Afterwards nginx listens on the same ports and sends the files.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
from aiohttp import web

from bench import catalogue
from bench.catalogue import Work

KINDS = ("plex", "plex", "jellyfin", "emby")
USER = "a1b2c3d4e5f60718293a4b5c6d7e8f90"


class Site(msgspec.Struct):
    """One recorded server."""

    name: str
    kind: str
    port: int
    bodies: dict[str, Path]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Recorder:
    """Answers for one server out of the catalogue and keeps every body."""

    def __init__(self, number: int, kind: str, works: dict[str, list[Work]], folder: Path) -> None:
        self.number = number
        self.kind = kind
        self.works = works
        self.folder = folder
        self.bodies: dict[str, Path] = {}
        folder.mkdir(parents=True)

    async def answer(self, request: web.Request) -> web.Response:
        body = self._make(request.path, dict(request.query))
        if body is None:
            return web.Response(status=404)
        path = self.bodies.setdefault(request.raw_path, self.folder / f"{len(self.bodies)}.json")
        path.write_bytes(body)
        return web.Response(body=body, content_type="application/json")

    def _make(self, path: str, query: dict[str, str]) -> bytes | None:
        return self._make_plex(path, query) if self.kind == "plex" else self._make_media(path, query)

    def _make_plex(self, path: str, query: dict[str, str]) -> bytes | None:
        if path in ("/identity", "/"):
            return _container(
                {"machineIdentifier": f"bench{self.number}", "version": "1.43.3.1", "friendlyName": "Bench"}
            )
        if path == "/accounts":
            return _container({"Account": [{"id": 1, "name": "bench"}]})
        if path == "/library/sections":
            return _container(
                {
                    "Directory": [
                        {
                            "key": "1",
                            "type": "movie",
                            "title": "Movies",
                            "Location": [{"id": 1, "path": "/media/movies"}],
                        },
                        {
                            "key": "2",
                            "type": "show",
                            "title": "TV",
                            "Location": [{"id": 2, "path": "/media/tv"}],
                        },
                    ]
                }
            )
        if not path.startswith("/library/sections/"):
            return None
        kind = {"1": "movie", "2": "show", "4": "episode"}[query["type"]]
        start, size = int(query["X-Plex-Container-Start"]), int(query["X-Plex-Container-Size"])
        works = self.works[kind]
        items = [
            catalogue.make_plex_item(catalogue.see(work, self.number), self._show(work))
            for work in works[start : start + size]
        ]
        head = f'"size":{len(items)},"totalSize":{len(works)},"offset":{start},"allowSync":true'
        return f'{{"MediaContainer":{{{head},"Metadata":[{catalogue.join(items)}]}}}}'.encode()

    def _make_media(self, path: str, query: dict[str, str]) -> bytes | None:
        emby = self.kind == "emby"
        asked = {name.lower(): value for name, value in query.items()}
        path = path.removeprefix("/emby")
        if path == "/System/Info/Public":
            info = {
                "Id": f"bench{self.number}",
                "ServerName": "Bench",
                "Version": "4.9.5.0" if emby else "12.0.0",
            }
            return json.dumps(
                info if emby else {**info, "ProductName": "Jellyfin Server", "StartupWizardCompleted": True}
            ).encode()
        if path.endswith("Views"):
            views = [("11", "Movies", "movies"), ("12", "TV", "tvshows")]
            return json.dumps(
                {
                    "Items": [
                        {"Id": own * 16, "Name": name, "Type": "CollectionFolder", "CollectionType": kind}
                        for own, name, kind in views
                    ]
                }
            ).encode()
        if path in ("/Users", "/Users/Query"):
            users = [{"Id": USER, "Name": "bench", "Policy": {"IsAdministrator": True}}]
            return json.dumps(users if path == "/Users" else {"Items": users, "TotalRecordCount": 1}).encode()
        if path.startswith("/Library/VirtualFolders"):
            return json.dumps({"Items": [], "TotalRecordCount": 0} if emby else []).encode()
        if not path.endswith("/Items"):
            return None
        return self._make_media_list(asked, emby=emby)

    def _make_media_list(self, asked: dict[str, str], *, emby: bool) -> bytes:
        leaf = "movie" if asked.get("parentid", "11").startswith("11") else "episode"
        kind = "show" if asked["includeitemtypes"] == "Series" else leaf
        start, size = int(asked.get("startindex", 0)), int(asked["limit"])
        works = self.works[kind]
        items = [
            catalogue.make_media_item(
                catalogue.see(work, self.number),
                self._show(work),
                self.number,
                asked.get("fields", ""),
                emby=emby,
            )
            for work in works[start : start + size]
        ]
        counted = asked.get("enabletotalrecordcount", "true") == "true"
        total = len(works) if counted else len(items)
        return (
            f'{{"Items":[{catalogue.join(items)}],"TotalRecordCount":{total},"StartIndex":{start}}}'.encode()
        )

    def _show(self, work: Work) -> Work | None:
        return self.works["show"][work.show] if work.show >= 0 else None


def _container(values: dict[str, object]) -> bytes:
    return json.dumps({"MediaContainer": {"size": 1, **values}}).encode()


def record(folder: Path, scale: float, ask: Callable[[list[Site]], None]) -> list[Site]:
    """Let ``ask`` send the adapters' requests to recording servers; what was asked, with the bodies on disk."""
    works = catalogue.make_catalogue(scale)
    recorders = [Recorder(n, kind, works, folder / f"server{n}") for n, kind in enumerate(KINDS)]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[list[web.AppRunner], list[int]]:
        runners, ports = [], []
        for recorder in recorders:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", recorder.answer)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            runners.append(runner)
            ports.append(runner.addresses[0][1])
        return runners, ports

    async def stop(runners: list[web.AppRunner]) -> None:
        for runner in runners:
            await runner.cleanup()

    runners, ports = asyncio.run_coroutine_threadsafe(start(), loop).result()
    sites = [
        Site(f"{recorder.kind.title()} {recorder.number + 1}", recorder.kind, port, recorder.bodies)
        for recorder, port in zip(recorders, ports, strict=True)
    ]
    try:
        ask(sites)
    finally:
        asyncio.run_coroutine_threadsafe(stop(runners), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
    return sites


def find_nginx() -> str:
    """The program; ends with a hint where it is not installed."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        sys.exit("The bench needs nginx. Install it (Debian: apt install nginx-light), then run this again.")
    return found


class Nginx:
    """nginx on the ports of the recorded sites, for the length of a ``with``."""

    def __init__(self, sites: list[Site], folder: Path) -> None:
        self.folder = folder
        self.sites = sites
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Nginx:
        config = self.folder / "nginx.conf"
        config.write_text(self._make_config())
        command = [
            find_nginx(),
            "-p",
            str(self.folder),
            "-c",
            str(config),
            "-e",
            str(self.folder / "error.log"),
        ]
        self.process = subprocess.Popen(command)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait()

    def _make_config(self) -> str:
        maps, servers = [], []
        for number, site in enumerate(self.sites):
            lines = "".join(
                f'    "{uri}" "{path.relative_to(self.folder)}";\n' for uri, path in site.bodies.items()
            )
            maps.append(f'  map $request_uri $body{number} {{\n    default "none";\n{lines}  }}\n')
            servers.append(
                f"  server {{ listen 127.0.0.1:{site.port}; root {self.folder};"
                f" location / {{ rewrite ^ /$body{number} break; }} }}\n"
            )
        user = "user root;\n" if os.geteuid() == 0 else ""  # root may have to read its own folder
        return (
            f"{user}daemon off;\nworker_processes 1;\npid {self.folder}/nginx.pid;\nevents {{ worker_connections 256; }}\n"
            "http {\n  access_log off;\n  sendfile on;\n  tcp_nopush on;\n  default_type application/json;\n"
            "  types { application/json json; }\n  etag off;\n  map_hash_bucket_size 2048;\n  map_hash_max_size 8192;\n"
            "  keepalive_requests 100000;\n"
            + "".join(
                f"  {name}_temp_path {self.folder}/{name};\n"
                for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            )
            + f"{''.join(maps)}{''.join(servers)}}}\n"
        )
