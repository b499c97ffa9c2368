"""HTTP: answers that are packed, that are no JSON or come with more than is usual, and servers that are not ready."""

from __future__ import annotations

import gzip

import pytest
from aiohttp import web

from playhead.kit.http import Http
from playhead.ports.errors import BackendError, BadAnswer, ServerFault
from tests.kit.conftest import Scripted

pytestmark = pytest.mark.usefixtures("no_pauses")


async def test_packed_answers_are_unpacked_and_asked_for_only_from_afar(
    scripted: tuple[Scripted, Http],
) -> None:
    """On the same machine packing costs more than it saves; a server that packs all the same is understood."""
    script, http = scripted
    packed = gzip.compress(b'{"ok": true}')
    script.answer = lambda _: web.Response(
        body=packed, content_type="application/json", headers={"Content-Encoding": "gzip"}
    )
    assert (await http.read("/x")).body == b'{"ok": true}'
    assert script.requests[0].headers["Accept-Encoding"] == "identity"


async def test_a_broken_packing_is_no_crash(scripted: tuple[Scripted, Http]) -> None:
    """A body that is not what its header says is a broken answer like any other."""
    script, http = scripted
    packed = gzip.compress(b'{"ok": true}')[:-8] + b"\0" * 8  # another checksum and length
    script.answer = lambda _: web.Response(
        body=packed, content_type="application/json", headers={"Content-Encoding": "gzip"}
    )
    with pytest.raises(BackendError):
        await http.read("/x")


async def test_a_server_that_is_starting_is_not_called_broken(scripted: tuple[Scripted, Http]) -> None:
    """Plex at its maintenance, Jellyfin and Sonarr at their start answer 503, with a page or without."""
    script, http = scripted
    script.answer = lambda _: web.Response(status=503, text="<html>Maintenance", content_type="text/html")
    with pytest.raises(ServerFault, match="not ready") as caught:
        await http.read("/x")
    assert "wait a minute" in caught.value.hint


@pytest.mark.parametrize("body", ['<?xml version="1.0"?><MediaContainer/>', '\n<MediaContainer size="0"/>'])
async def test_xml_instead_of_json_is_called_that(scripted: tuple[Scripted, Http], body: str) -> None:
    """Plex sends it where a proxy takes the wish for JSON away."""
    script, http = scripted
    script.answer = lambda _: web.Response(text=body, content_type="text/xml")
    with pytest.raises(BadAnswer, match="XML") as caught:
        await http.read("/x")
    assert "Accept" in caught.value.hint
    assert (await http.read("/x", expect="any")).body == body.encode()


async def test_long_headers_of_a_proxy_are_borne(scripted: tuple[Scripted, Http]) -> None:
    """Lists of what a page may load, beyond the eight kilobytes that are usual."""
    script, http = scripted
    script.answer = lambda _: web.json_response({}, headers={"Content-Security-Policy": "x" * 30_000})
    assert (await http.read("/x")).status == 200


async def test_a_packed_answer_of_nothing_is_nothing(scripted: tuple[Scripted, Http]) -> None:
    """As proxies send it that say gzip before they know that there is nothing to pack."""
    script, http = scripted
    script.answer = lambda _: web.Response(headers={"Content-Encoding": "gzip"})
    assert (await http.write("POST", "/x")).body == b""
