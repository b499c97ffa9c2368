"""The floor: every body of the import fetched and decoded with the adapters' own wire types, and nothing else.

Run as a process of its own: ``python -m bench.floor FILE``, where FILE lists kind, address and paths of each server.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from playhead.adapters._mediabrowser import wire as media
from playhead.adapters.plex import wire as plex


async def fetch_all(servers: list[dict[str, Any]]) -> int:
    """One request at a time at each server, all servers side by side; the number of items decoded."""
    counts = await asyncio.gather(*(_fetch(server) for server in servers))
    return sum(counts)


async def _fetch(server: dict[str, Any]) -> int:
    is_plex = server["kind"] == "plex"
    decoder: Any = msgspec.json.Decoder(plex.Page if is_plex else media.Page, strict=False)
    count = 0
    async with aiohttp.ClientSession(base_url=server["url"]) as session:
        for path in server["paths"]:
            async with session.get(URL(path, encoded=True)) as response:
                page = decoder.decode(await response.read())
            count += len(page.MediaContainer.Metadata if is_plex else page.Items)
    return count


if __name__ == "__main__":
    print(asyncio.run(fetch_all(json.loads(Path(sys.argv[1]).read_text()))))  # noqa: T201
