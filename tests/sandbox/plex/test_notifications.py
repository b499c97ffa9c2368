"""What an emulated Plex tells by itself: notifications, sessions and webhooks, judged by recorded frames and payloads."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientWebSocketResponse, WSServerHandshakeError

from playhead.sandbox.plex.notifications import Filter
from playhead.sandbox.plex.plextv import make_plextv_token
from playhead.sandbox.run import SandboxHandle, run_world
from tests.sandbox.ear import Ear, listen, wait_until
from tests.sandbox.plex.conftest import Client
from tests.sandbox.plex.worlds import E1, HOME, LEGACY, MATRIX, NOW, SHOW, make_world
from tests.truth import truth_path

SOCKET = "/:/websockets/notifications"


class Line:
    """A socket; ``next`` gives the container of the next message."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self) -> dict[str, Any]:
        return dict((await self.socket.receive_json(timeout=30))["NotificationContainer"])

    async def entry(self, kind: str) -> dict[str, Any]:
        """The only entry of the next message, which is of this kind."""
        container = await self.next()
        assert (container["type"], container["size"]) == (kind, 1)
        body = {"playing": "PlaySessionStateNotification", "timeline": "TimelineEntry"}[kind]
        [entry] = container[body]
        return dict(entry)


async def connect(
    box: SandboxHandle,
    session: aiohttp.ClientSession,
    user: str = "alice",
    query: str = "",
    path: str = SOCKET,
) -> Line:
    token = box.token("plex", user)
    return Line(await session.ws_connect(f"{box.url('plex')}{path}?X-Plex-Token={token}{query}"))


def act(box: SandboxHandle, user: str, item: str, what: str, **args: Any) -> None:
    box.server("plex").act(user, item, what, at=None, args=args)


def recorded(name: str) -> dict[str, Any]:
    """The only or first entry of a recorded frame."""
    container = json.loads(truth_path("events", "plex", name).read_bytes())["NotificationContainer"]
    [body] = [value for value in container.values() if isinstance(value, list)]
    return dict(body[0])


def kinds(entry: dict[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in entry.items()}


# --- lines


@pytest.mark.parametrize("path", [SOCKET, "/:/websocket/notifications"])
async def test_both_paths_take_a_socket(
    box: SandboxHandle, session: aiohttp.ClientSession, path: str
) -> None:
    """The maker's document and real clients differ."""
    line = await connect(box, session, path=path)
    act(box, "alice", "matrix", "mark")
    assert (await line.entry("timeline"))["itemID"] == str(MATRIX)


async def test_without_a_token_nobody_is_let_in(box: SandboxHandle, session: aiohttp.ClientSession) -> None:
    for query in ("", "?X-Plex-Token=wrong"):
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(f"{box.url('plex')}{SOCKET}{query}")
        assert refused.value.status == 401


async def test_a_header_is_as_good_as_a_parameter(box: SandboxHandle, session: aiohttp.ClientSession) -> None:
    headers = {"X-Plex-Token": box.token("plex", "alice")}
    line = Line(await session.ws_connect(f"{box.url('plex')}{SOCKET}", headers=headers))
    act(box, "alice", "matrix", "unmark")
    assert (await line.next())["type"] == "timeline"


@pytest.mark.parametrize(
    ("text", "passing"),
    [
        (None, {"playing", "timeline"}),
        ("", {"playing", "timeline", "log"}),
        ("-log", {"playing", "timeline"}),
        ("playing", {"playing"}),
        ("playing,log", {"playing", "log"}),
        ("-playing,log", {"timeline"}),
    ],
)
def test_filters_are_those_of_the_document(text: str | None, passing: set[str]) -> None:
    assert {kind for kind in ("playing", "timeline", "log") if Filter(text).passes(kind)} == passing


async def test_a_filter_holds_on_a_line(box: SandboxHandle, session: aiohttp.ClientSession) -> None:
    line = await connect(box, session, query="&filters=playing")
    act(box, "alice", "matrix", "mark")
    act(box, "alice", "home", "start", position_s=1)
    assert (await line.entry("playing"))["ratingKey"] == str(HOME)


async def test_the_event_stream_says_the_same(box: SandboxHandle, session: aiohttp.ClientSession) -> None:
    """As server-sent events, with a ping at first and every ten seconds."""
    token = box.token("plex", "alice")
    url = f"{box.url('plex')}/:/eventsource/notifications?X-Plex-Token={token}&filters=timeline"
    async with session.get(url) as response:
        assert response.content_type == "text/event-stream"

        async def event() -> tuple[bytes, Any]:
            lines = [await response.content.readline() for _ in range(3)]
            return lines[0].removeprefix(b"event: ").strip(), json.loads(lines[1].removeprefix(b"data: "))

        assert await event() == (b"ping", {})
        box.clock.advance(10)
        assert await event() == (b"ping", {})
        act(box, "alice", "matrix", "mark")
        name, data = await event()
        assert (name, data["TimelineEntry"]["itemID"]) == (b"timeline", str(MATRIX))
    box.clock.advance(10)
    box.clock.advance(10)
    await wait_until(lambda: box.server("plex").told().lines == 0)


async def test_lines_can_be_cut(box: SandboxHandle, session: aiohttp.ClientSession) -> None:
    line = await connect(box, session)
    act(box, "", "", "cut_sockets")
    assert (await line.socket.receive(timeout=30)).data is None
    assert line.socket.close_code == 1006
    await wait_until(lambda: box.server("plex").told().lines == 0)


# --- playing


async def test_a_simulated_client_is_told_every_ten_seconds_and_at_each_change(
    box: SandboxHandle, session: aiohttp.ClientSession
) -> None:
    """Keys and types are the recorded ones; a stop is told once."""
    line = await connect(box, session, query="&filters=playing")
    act(box, "alice", "matrix", "play_start", position_s=100, device="Kitchen")
    first = await line.entry("playing")
    assert kinds(first) == kinds(recorded("websocket-playing.1.json"))
    assert (first["state"], first["viewOffset"], first["ratingKey"]) == ("playing", 100_000, str(MATRIX))
    box.clock.advance(20)
    assert [(await line.entry("playing"))["viewOffset"] for _ in range(2)] == [110_000, 120_000]
    act(box, "alice", "", "pause", device="Kitchen")
    assert (await line.entry("playing"))["state"] == "paused"
    box.clock.advance(10)
    paused = await line.entry("playing")
    assert (paused["state"], paused["viewOffset"]) == ("paused", 120_000)
    act(box, "alice", "matrix", "resume", device="Kitchen")
    assert (await line.entry("playing"))["state"] == "playing"
    act(box, "alice", "matrix", "play_progress", position_s=900, device="Kitchen")
    act(box, "alice", "matrix", "play_stop", device="Kitchen")
    stopped = await line.entry("playing")
    assert (stopped["state"], stopped["viewOffset"]) == ("stopped", 900_000)
    assert stopped["sessionKey"] == first["sessionKey"]
    box.clock.advance(60)
    assert box.server("plex").told().messages == 7
    [row] = [row for row in box.server("plex").state_rows("alice") if row.item == "matrix"]
    assert row.position_s == 900


async def test_a_real_report_opens_a_session(
    box: SandboxHandle, session: aiohttp.ClientSession, alice: Client, bob: Client
) -> None:
    """``/status/sessions`` tells the owner who plays what; it ends with the stop, or when nothing more is heard."""
    line = await connect(box, session, query="&filters=playing")
    where = f"ratingKey={MATRIX}&key=/library/metadata/{MATRIX}"
    await bob.ask("/:/timeline", f"{where}&state=playing&time=600000", method="POST")
    told = await line.entry("playing")
    container = await alice.container("/status/sessions")
    [entry] = container["Metadata"]
    assert container["size"] == 1
    assert entry["sessionKey"] == told["sessionKey"]
    assert (entry["User"]["title"], entry["viewOffset"]) == ("bob", 600_000)
    assert entry["User"]["id"] == next(u.id for u in box.server("plex").users() if u.name == "bob")
    assert (entry["Player"]["machineIdentifier"], entry["Player"]["state"]) == ("tests", "playing")
    assert (await bob.ask("/status/sessions")).status == 403
    await bob.ask("/:/timeline", f"{where}&state=stopped&time=660000", method="POST")
    assert (await line.entry("playing"))["state"] == "stopped"
    assert (await alice.container("/status/sessions"))["size"] == 0
    await bob.ask("/:/timeline", f"{where}&state=playing&time=700000", method="POST")
    box.clock.advance(200)
    assert (await alice.container("/status/sessions"))["size"] == 0


async def test_others_hear_of_their_own_playback_alone(
    box: SandboxHandle, session: aiohttp.ClientSession
) -> None:
    """And of no library that is not shared with them (assumed)."""
    kid = await connect(box, session, "kid")
    act(box, "alice", "matrix", "start", position_s=100)
    act(box, "alice", "e1", "mark")
    act(box, "kid", "home", "start", position_s=5)
    assert (await kid.entry("playing"))["ratingKey"] == str(HOME)


# --- timeline


async def test_marks_and_files_are_told(box: SandboxHandle, session: aiohttp.ClientSession) -> None:
    """Keys are recorded ones and those that python-plexapi knows; a removed library is told as recorded."""
    line = await connect(box, session, query="&filters=timeline")
    act(box, "alice", "show", "mark")
    entry = await line.entry("timeline")
    known = {*recorded("websocket-timeline.1.json"), "title", "parentItemID", "rootItemID", "metadataState"}
    assert set(entry) <= known
    assert (entry["itemID"], entry["type"], entry["state"]) == (str(SHOW), 2, 5)
    act(box, "", "legacy", "remove")
    entry = await line.entry("timeline")
    assert (entry["itemID"], entry["state"], entry["metadataState"]) == (str(LEGACY), 9, "deleted")
    act(box, "", "legacy", "add")
    made = [await line.entry("timeline") for _ in range(2)]
    assert [entry["state"] for entry in made] == [0, 5]
    assert (made[0]["metadataState"], "metadataState" in made[1]) == ("created", False)
    assert made[0]["itemID"] == made[1]["itemID"] != str(LEGACY)
    act(box, "", "", "remove_library", library="4K")
    entry = await line.entry("timeline")
    assert (entry["type"], entry["state"]) == (-1, 9)


async def test_marks_over_http_are_told(
    box: SandboxHandle, session: aiohttp.ClientSession, alice: Client
) -> None:
    line = await connect(box, session)
    for route in ("scrobble", "unscrobble"):
        assert await alice.write(route, E1) == 200
        entry = await line.entry("timeline")
        assert (entry["itemID"], entry["rootItemID"], entry["type"]) == (str(E1), str(SHOW), 4)


# --- webhooks


def events(ear: Ear, path: str = "/hook") -> list[tuple[str, str]]:
    payloads = [post.json("payload") for post in ear.posts if post.path == path]
    return [(payload["event"], payload["Account"]["title"]) for payload in payloads]


async def test_playback_rating_and_new_items_are_posted_and_marks_are_not() -> None:
    """With the members of recorded payloads, as a form with a picture where there is one."""
    async with listen() as ear:
        world = make_world()
        world.servers[0].webhooks = [f"{ear.url}/hook"]
        async with run_world(world) as box:
            box.clock.freeze(NOW)
            act(box, "bob", "matrix", "play_start")
            box.clock.advance(600)
            act(box, "bob", "", "pause")
            act(box, "bob", "", "resume")
            act(box, "bob", "", "play_progress", position_s=8000)
            act(box, "bob", "", "play_stop", position_s=8100)
            act(box, "alice", "matrix", "mark")
            act(box, "alice", "matrix", "unmark")
            act(box, "alice", "home", "rate", rating=8)
            act(box, "", "legacy", "remove")
            act(box, "", "legacy", "add")
            await wait_until(lambda: box.server("plex").told().webhooks_sent == 7)
    told = ["play", "pause", "resume", "scrobble", "stop"]
    assert events(ear) == [(f"media.{name}", "bob") for name in told] + [
        ("media.rate", "alice"),
        ("library.new", "alice"),
    ]
    judge_payloads([post.json("payload") for post in ear.posts])
    files = {post.json("payload")["event"] for post in ear.posts if "thumb" in post.fields}
    assert files == {"media.play", "media.rate", "library.new"}
    assert all(post.fields["thumb"][:3] == b"\xff\xd8\xff" for post in ear.posts if "thumb" in post.fields)
    first, rated, new = (ear.posts[place].json("payload") for place in (0, 5, 6))
    assert (first["user"], first["owner"]) == (False, True)
    assert first["Metadata"]["Guid"] == [{"id": "imdb://tt0133093"}, {"id": "tmdb://603"}]
    assert (rated["user"], rated["owner"], rated["rating"]) == (True, True, 8.0)
    assert "Player" not in new
    assert ear.posts[0].headers["User-Agent"] == "PlexMediaServer/1.43.3"


def judge_payloads(payloads: list[dict[str, Any]]) -> None:
    """Top members and types are those of the analysed payloads; an item has members that some payload had."""
    known = json.loads(truth_path("webhooks", "plex", "field-types", "payload-analysis.json").read_bytes())
    items = {name for event in known.values() for name in event["Metadata"]}
    # the analysis left these out; the maker's sample or the facts have them
    items |= {
        "librarySectionID",
        "librarySectionKey",
        "librarySectionTitle",
        "Guid",
        "userRating",
        "lastRatedAt",
    }
    items |= {"parentKey", "grandparentKey"}
    for payload in payloads:
        event = known.get(payload["event"], known["media.stop"])
        extra = {"rating"} if payload["event"] == "media.rate" else set()
        assert set(payload) == set(event) - {"fileInfo"} | extra, payload["event"]
        for part in ("Account", "Server", "Player"):
            if part in payload:
                assert {n: _name(v) for n, v in payload[part].items()} == {
                    n: "string" if v in ("URL", "UUID") else v for n, v in event[part].items()
                }
        assert set(payload["Metadata"]) <= items, set(payload["Metadata"]) - items


def _name(value: Any) -> str:
    return "boolean" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "string"


async def test_urls_are_registered_at_plex_tv() -> None:
    """The owner's get everybody's events; a list takes the place of the one before; only Plex Pass has them."""
    async with listen() as ear, run_world(make_world()) as box, aiohttp.ClientSession() as session:
        url = f"{box.extra_urls['plextv']}/api/v2/user/webhooks"
        headers = {"X-Plex-Token": make_plextv_token("alice"), "Accept": "application/json"}
        for urls in (["http://127.0.0.1:9/old"], [f"{ear.url}/hook", "http://192.0.2.1/away"]):
            form = [("urls[]", each) for each in urls]
            async with session.post(url, data=form, headers=headers) as response:
                assert (response.status, await response.json()) == (200, [{"url": each} for each in urls])
        act(box, "bob", "home", "start", position_s=2)
        await wait_until(lambda: box.server("plex").told().webhooks_sent == 1)
        assert box.server("plex").told().webhooks_refused == 1
        async with session.post(url, data={"urls": ""}, headers=headers) as response:
            assert await response.json() == []
        headers["X-Plex-Token"] = make_plextv_token("bob")
        async with session.post(url, data={"urls[]": ear.url}, headers=headers) as response:
            assert response.status == 403
    assert events(ear) == [("media.play", "bob")]


async def test_two_servers_of_one_owner_share_the_urls() -> None:
    """For they belong to the account."""
    async with listen() as ear:
        world = make_world()
        other = make_world().servers[0]
        other.name, world.servers[0].webhooks = "second", [f"{ear.url}/hook"]
        world.servers.append(other)
        async with run_world(world) as box:
            box.server("second").act("alice", "home", "start", at=None, args={"position_s": 2})
            await wait_until(lambda: box.server("second").told().webhooks_sent == 1)
    assert ear.posts[0].json("payload")["Server"]["title"] == "second"
