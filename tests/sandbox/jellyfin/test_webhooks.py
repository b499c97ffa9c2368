"""The webhook plugin posts what tape 18 and 22 show, to whom its configuration says."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from playhead.sandbox.jellyfin.webhooks import PLUGIN_ID, render
from tests.sandbox.ear import Ear, listen, wait_until
from tests.sandbox.jellyfin.conftest import Run, Talk, make_world
from tests.sandbox.jellyfin.player import compare
from tests.sandbox.jellyfin.socket_tape import SocketPlayer
from tests.truth import truth_path

NOT_EMULATED = {"AuthenticationSuccess", "AuthenticationFailure", "SessionStart", "ItemAdded", "ItemDeleted"}


def events_of(name: str) -> list[Any]:
    """The events of a tape of 12.0.0."""
    tape = truth_path("recorded", "jellyfin", "12.0.0-real", name)
    return list(json.loads(tape.read_bytes())["events"])


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    async with listen() as ear:
        ear.status = 204
        yield ear


def bodies(ear: Ear, path: str = "/all") -> list[dict[str, Any]]:
    return [post.json() for post in ear.posts if post.path == path]


async def sent(talk_or_server: Any) -> None:
    """Wait until everything has left."""
    await wait_until(lambda: not talk_or_server.plugin.posts.waiting)


async def test_every_post_of_the_tape_is_sent(ear: Ear) -> None:
    """The same requests bring the same posts in the same order, with the same members and values of state."""
    events = events_of("18-webhook-plugin.json")
    player = SocketPlayer("12.0.0")
    configuration = events[1]["body"]
    for each in configuration["GenericOptions"]:
        each["WebhookUri"] = each["WebhookUri"].replace("http://127.0.0.1:9911", ear.url)
    player.server.plugin.configure(configuration)
    asked = [event for event in events if event["t"] < 64 and "http" in event]
    for event in asked:  # a started request's posts come before it on the tape
        event["http"]["token"] = "watcher" if "/Sessions/Playing" in event["http"]["path"] else "apikey"
        body = event["http"].get("body") or {}
        event["t"] -= 0.06 if body else 0.03
    await player.play_events(asked)
    await sent(player.server)
    posts = [event for event in events if event["t"] < 64 and "path" in event]
    for path in ("/all", "/json"):
        theirs = [json.loads(post["body"]) for post in posts if post["path"] == path]
        theirs = [body for body in theirs if body["NotificationType"] not in NOT_EMULATED]
        ours = [body for body in bodies(ear, path) if body["NotificationType"] not in NOT_EMULATED]
        assert [_what(body) for body in ours] == [_what(body) for body in theirs]
        for expected, got in zip(theirs, ours, strict=True):
            if "Blade Runner" not in expected["Name"]:  # its tape names versions in another way
                assert compare(expected, got, player) == [], expected["NotificationType"]
                assert list(got) == list(expected) or set(got) == set(expected)
                for name in (
                    "Played",
                    "PlayCount",
                    "PlaybackPositionTicks",
                    "Favorite",
                    "Likes",
                    "IsAutomated",
                ):
                    assert got.get(name) == expected.get(name), (name, expected)
    headers = {post.path: post.headers for post in ear.posts}
    assert headers["/all"]["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["/json"]["Content-Type"] == "application/json; charset=utf-8"
    assert headers["/json"]["X-Secret"] == "abc"
    assert headers["/all"]["User-Agent"] == "Jellyfin-Server/12.0.0"
    templates = [post.fields[""].decode() for post in ear.posts if post.path == "/tpl"]
    saved = next(body for body in templates if "UserDataSaved" in body)
    assert saved in [post["body"] for post in posts if post["path"] == "/tpl"]


def _what(body: dict[str, Any]) -> tuple[Any, ...]:
    return (
        body["NotificationType"],
        body.get("SaveReason"),
        body.get("NotificationUsername"),
        body.get("Name"),
    )


def whole(url: str, **changes: Any) -> dict[str, Any]:
    """A configuration with one destination for everything."""
    kinds = ["ItemAdded", "ItemDeleted", "PlaybackStart", "PlaybackStop", "UserDataSaved", "SessionStart"]
    switches = dict.fromkeys(
        ("EnableMovies", "EnableEpisodes", "EnableSeries", "EnableSeasons", "EnableVideos"), True
    )
    made = {"WebhookUri": url, "NotificationTypes": kinds, "SendAllProperties": True, **switches, **changes}
    return {"ServerUrl": "http://here", "GenericOptions": [made]}


async def configure(talk: Talk, given: dict[str, Any]) -> None:
    path = f"/Plugins/{PLUGIN_ID}/Configuration"
    assert (await talk.ask("POST", path, json=given)).status == 204


async def test_the_configuration_is_read_back(run_jellyfin: Run) -> None:
    """With the defaults of what was left out, under an id with or without dashes; only an admin may."""
    async with run_jellyfin(make_world("12.0.0")) as talk:
        [plugin] = (await talk.ask("GET", "/Plugins")).body
        assert (plugin["Name"], plugin["Status"]) == ("Webhook", "Active")
        await configure(
            talk, {"ServerUrl": "http://x", "GenericOptions": [{"WebhookUri": "http://127.0.0.1:1/"}]}
        )
        told = (await talk.ask("GET", "/Plugins/71552a5a-5c5c-4350-a2ae-ebe451a30173/Configuration")).body
        expected = events_of("18-webhook-plugin.json")[1]["body"]
        assert set(told) == set(expected)
        assert set(told["GenericOptions"][0]) == set(expected["GenericOptions"][0])
        kid = next(user.token for user in talk.server.users() if user.name == "kid")
        assert (await talk.ask("GET", f"/Plugins/{PLUGIN_ID}/Configuration", token=kid)).status == 403
        assert (await talk.ask("GET", f"/Plugins/{'0' * 32}/Configuration")).status == 404
        bad = await talk.ask("POST", f"/Plugins/{PLUGIN_ID}/Configuration", json=["no"])
        assert bad.status == 400


async def test_without_the_plugin_there_is_no_configuration(run_jellyfin: Run) -> None:
    async with run_jellyfin(make_world("12.0.0", webhook_plugin=False)) as talk:
        assert (await talk.ask("GET", "/Plugins")).body == []
        assert (await talk.ask("GET", f"/Plugins/{PLUGIN_ID}/Configuration")).status == 404


async def test_new_items_come_from_the_queue(run_jellyfin: Run, ear: Ear) -> None:
    """Worked off after a while or by its task; without provider ids only after ten runs; removed ones as they were."""
    async with run_jellyfin(make_world("12.0.0")) as talk:
        await configure(talk, whole(f"{ear.url}/all"))
        for item in ("bebop4", "home"):
            talk.server.act("", item, "remove", at=None, args={})
            talk.server.act("", item, "add", at=None, args={})
        talk.clock.advance(89)
        assert not talk.server.plugin.posts.waiting
        talk.clock.advance(1)
        await sent(talk.server)
        assert {body["NotificationType"] for body in bodies(ear)} == {"ItemDeleted"}
        talk.clock.advance(10 * 90)
        await sent(talk.server)
        added = [body for body in bodies(ear) if body["NotificationType"] == "ItemAdded"]
        assert {body["Name"] for body in added} == {"Home Cut", "Session 4"}
        movie = next(body for body in added if body["ItemType"] == "Movie")
        recorded = [json.loads(e["body"]) for e in events_of("22-webhook-items.json") if "body" in e]
        theirs = next(body for body in recorded if body["Name"] == "Sintel")
        assert set(movie) - set(theirs) == set()
        talk.server.act("", "lost", "add", at=None, args={})
        tasks = (await talk.ask("GET", "/ScheduledTasks")).body
        task = next(each["Id"] for each in tasks if each["Key"] == "WebhookItemAdded")
        assert (await talk.ask("POST", f"/ScheduledTasks/Running/{task}")).status == 204
        await sent(talk.server)
        assert bodies(ear)[-1]["Name"] == "Not There Yet"


async def test_a_filter_of_users_and_types_holds(run_jellyfin: Run, ear: Ear) -> None:
    async with run_jellyfin(make_world("12.0.0")) as talk:
        given = whole(f"{ear.url}/all", UserFilter=[talk.user], EnableEpisodes=False)
        await configure(talk, given)
        for user, item in (("kid", "home"), ("ann", "bebop1"), ("ann", "matrix")):
            talk.server.act(user, item, "unfavourite", at=None, args={})
        await sent(talk.server)
        assert [(body["NotificationUsername"], body["Name"]) for body in bodies(ear)] == [
            ("ann", "The Matrix")
        ]


async def test_a_world_may_bring_a_webhook(run_jellyfin: Run, ear: Ear) -> None:
    """It is told of everything from the start, as JSON."""
    world = make_world("12.0.0")
    world.servers[0].webhooks = [f"{ear.url}/all"]
    async with run_jellyfin(world) as talk:
        talk.server.act("ann", "home", "stop", at=None, args={"position_s": 60})
        await sent(talk.server)
        kinds = [body["NotificationType"] for body in bodies(ear)]
        assert kinds[:3] == ["SessionStart", "UserDataSaved", "PlaybackStart"]
        assert kinds[-2:] == ["UserDataSaved", "PlaybackStop"]
        assert bodies(ear)[-1]["PlaybackPositionTicks"] == 600_000_000
        assert talk.server.told().webhooks_sent == len(kinds)


def test_a_template_is_printed_as_the_plugin_prints_it() -> None:
    """Escaped or not, truth values in capitals, nothing for what is missing."""
    template = base64.b64encode(b"{{Name}} {{{Name}}} {{Played}} [{{Missing}}] {{#if x}}").decode()
    assert render(template, {"Name": "A & B", "Played": True}) == "A &amp; B A & B True [] {{#if x}}"
