"""Plays a tape against an emulated server and says, step by step, where the answers differ."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from playhead.sandbox.clock import Clock, SkewedClock
from playhead.sandbox.jellyfin import ticks
from playhead.sandbox.jellyfin.accounts import Client
from playhead.sandbox.jellyfin.emulator import JellyfinServer
from playhead.sandbox.jellyfin.userdata import State
from tests.sandbox.jellyfin.changes import DiskChanges
from tests.sandbox.jellyfin.tape import (
    PASSWORDS,
    TOKENS,
    Tape,
    build_world,
    dates_of,
    first_states,
    other_versions,
)

VALUES = (
    "Played",
    "PlayCount",
    "PlaybackPositionTicks",
    "IsFavorite",
    "Likes",
    "Rating",
    "PlayedPercentage",
    "UnplayedItemCount",
)
SCAN_S = 10.0  # where scans take time
OMITTED = "(system info omitted)"
_ID = re.compile(r"[0-9a-f]{32}\Z")
_SECRET = re.compile(r"(TOKEN-[A-Z0-9]+|QC-SECRET)\Z")


class Exchange(NamedTuple):
    """One request and its answer, as they went over the wire."""

    method: str
    url: URL
    status: int
    content_type: str | None
    body: bytes


class Player:
    """One server and what of the tape's world stands for what of ours."""

    def __init__(self, version: str, *, wizard: bool = False, first_file: str = "") -> None:
        self.version = version
        world = build_world(version)
        server = world.servers[0]
        if wizard:
            server.quirks = {"wizard": True}
        self.clock = Clock(0)
        self.sent: set[str] = set()
        self.known: dict[str, str] = {}
        if first_file:
            self._set_clock(Tape(version, first_file).steps[0]["response"].get("body"))
        self.server = JellyfinServer(world, server, SkewedClock(self.clock))
        self._name_versions()
        self._sign_in(wizard, all_of_them=not first_file)
        self.compared = 0
        self.exchanges: list[Exchange] = []

    def _name_versions(self) -> None:
        """The world names further versions by number; the tape has them under names of their own."""
        sources = other_versions(self.version)
        if not sources or self.server.disk.files.get(sources[0]["Path"]) is None:
            return
        primary = self.server.disk.files[sources[0]["Path"]]
        others = [file for file in self.server.disk.files.values() if file.version_of == primary.path]
        for file, source in zip(others, sources[1:], strict=True):
            self.server.disk.rename(file.path, source["Path"])
            file.duration_ticks = source["RunTimeTicks"]
        self.server.scan()

    def _sign_in(self, wizard: bool, *, all_of_them: bool) -> None:
        accounts = self.server.accounts
        accounts.tokens.clear()
        if wizard:
            return
        for token, name in TOKENS.items():
            if all_of_them or name == "admin":
                client = Client(app="Recorder", device="lab", device_id=f"dev-{name}", version="1.0")
                user = accounts.users[self.server.find_user(name).id]
                accounts.log_in(user, client, token)
                self.server.sessions.touch(client, user, "127.0.0.1")
        if all_of_them:
            accounts.add_key("synchroniser", "TOKEN-APIKEY")

    def _set_clock(self, body: Any) -> None:
        """The tape's time goes on with the dates that the server stamped in it."""
        stamped = [ticks.parse(date) for date in dates_of(body) if date[:10] in ("2026-11-20", "2026-11-21")]
        if stamped:
            newest = ticks.to_unix(max(date for date in stamped if date is not None))
            if newest > self.clock.now():
                self.clock.set(newest)

    # --- playing

    async def play(self, tape: Tape, *, go_on: bool = False) -> dict[int, list[str]]:
        """Play all steps of a file; the differences by step. ``go_on``: from the state that the file before left."""
        if not go_on:
            self.bring_state(tape)
        changes = DiskChanges(self.server, tape)
        differences: dict[int, list[str]] = {}
        async with TestClient(TestServer(self.server.make_app())) as client:
            for index, step in enumerate(tape.steps):
                await changes.before(index, client)
                if "request" not in step:
                    found = self._note(step, changes.user_id)
                else:
                    found = await self._step(client, step)
                if found:
                    differences[index] = found
                changes.after(index)
        return differences

    def _note(self, step: dict[str, Any], user_id: str) -> list[str]:
        """A note may tell what a list showed, or that legacy sign-in was switched on."""
        note = step.get("note", "")
        if "EnableLegacyAuthorization=true" in note:
            self.server.configuration["EnableLegacyAuthorization"] = True
        if "EnableLegacyAuthorization=false" in note:
            self.server.configuration["EnableLegacyAuthorization"] = False
        if note.startswith(("removed file gone: yes", "GET /ScheduledTasks RefreshLibrary while it ran")):
            self.clock.advance(SCAN_S)
        seen = step.get("seen")
        if not isinstance(seen, list) or (seen and not (isinstance(seen[0], dict) and "UserData" in seen[0])):
            return []
        self.compared += 1
        user = self.server.accounts.users[user_id]
        told = {each["Id"] for each in seen}
        movies = [item for item in self.server.catalogue.items.values() if item.id in told or not told]
        movies = [item for item in movies if item.type == "Movie" and not item.primary]
        movies.sort(key=lambda item: item.sort_name)
        shown = [
            {
                "Id": item.id,
                "Name": item.name,
                "Path": item.path,
                "ProviderIds": item.ids,
                "UserData": self.server.describer.user_data(user, item, self.server.store.listed(user, item)),
            }
            for item in movies
        ]
        return list(compare(seen, json.loads(json.dumps(shown)), self))

    async def _step(self, client: TestClient[Any, Any], step: dict[str, Any]) -> list[str]:
        request, expected = step["request"], step["response"]
        self._set_clock(expected.get("body"))
        self._remember_dates(request)
        url = URL(self._ours(request["path"]) + self._query(request.get("query")), encoded=True)
        body = request.get("body")
        headers = {name: self._ours(value) for name, value in (request.get("headers") or {}).items()}
        data = None if body is None else (body if isinstance(body, str) else json.dumps(body))
        skip = [] if "Content-Type" in headers else ["Content-Type"]
        async with client.request(
            request["method"],
            url,
            data=None if data is None else self._ours(data).encode(),
            headers=headers,
            skip_auto_headers=skip,
        ) as answer:
            raw = await answer.read()
            status, kind = answer.status, answer.headers.get("Content-Type")
        self.compared += 1
        self.exchanges.append(Exchange(request["method"], url, status, kind, raw))
        found = []
        if status != expected["status"]:
            found.append(f"status {status}, not {expected['status']}")
        if kind != (expected.get("headers") or {}).get("Content-Type"):
            found.append(f"content type {kind}, not {(expected.get('headers') or {}).get('Content-Type')}")
        if expected.get("body") != OMITTED:
            found += compare(expected.get("body"), _decode(raw, kind), self)
        return found

    def _remember_dates(self, request: dict[str, Any]) -> None:
        values = [value for name, value in parse_qsl(request.get("query") or "") if "date" in name.lower()]
        body = request.get("body")
        if isinstance(body, dict):
            values += [str(value) for name, value in body.items() if "date" in name.lower()]
        for value in values:
            date = ticks.parse_query(value)
            if date is not None:
                self.sent.add(ticks.show(date))

    def _query(self, query: str | dict[str, Any] | None) -> str:
        if not query:
            return ""
        text = query if isinstance(query, str) else urlencode(query, doseq=True)
        return f"?{self._ours(text)}"

    def _ours(self, text: str) -> str:
        """The text with ids and secrets of the tape made into ours."""
        for theirs, ours in sorted(self.known.items(), key=lambda pair: -len(pair[0])):
            if theirs in text:
                text = text.replace(theirs, ours)
        return text

    def learn(self, theirs: str, ours: str, place: str) -> None:
        """Two values at the same place: an id or a secret of the tape and what stands for it here."""
        if theirs == ours or ours in self.known:
            return
        if (
            _SECRET.match(theirs)
            or place.endswith(".Code")
            or _ID.match(theirs)
            and theirs not in self.known
            and not self._is_ours(theirs)
        ):
            self.known[theirs] = ours

    def _is_ours(self, guid: str) -> bool:
        """Most ids are the same here: hashes of paths, and the users' as the world gives them."""
        return guid in self.server.catalogue.items or guid in self.server.accounts.users

    # --- state before a file

    def bring_state(self, tape: Tape) -> None:
        """Bring users' state to what the file's first sight of it says."""
        users = {user.id for user in self.server.accounts.users.values()}
        watcher = next(
            (user.id for user in self.server.accounts.users.values() if user.name == "watcher"), ""
        )
        folders = {item.id for item in self.server.catalogue.items.values() if item.is_folder}
        for (user_id, item_id), data in first_states(tape, users, watcher, folders).items():
            item = self.server.catalogue.items.get(item_id)
            if item is None or (item.is_folder and item.type != "Series"):
                continue
            user = self.server.accounts.users[user_id]
            state = _apply(self.server.store.stored(user, item).copy(), data)
            self.server.store.save(user, item, state)


def _apply(state: State, data: dict[str, Any]) -> State:
    state.played = data.get("Played", state.played)
    state.plays = data.get("PlayCount", state.plays)
    state.position = data.get("PlaybackPositionTicks", state.position)
    state.favourite = data.get("IsFavorite", state.favourite)
    if "LastPlayedDate" in data:
        date = data["LastPlayedDate"]
        state.last_played = ticks.parse(date) if date else None
    state.rating = data.get("Rating", state.rating)
    return state


def _decode(raw: bytes, kind: str | None) -> Any:
    if not raw:
        return None
    if kind is not None and kind.startswith("application/json"):
        return json.loads(raw)
    return raw.decode()


def compare(expected: Any, got: Any, player: Player, place: str = "") -> list[str]:
    """Keys and types everywhere, values of user data."""
    if _kind(expected) != _kind(got):
        return [f"{place or 'body'}: {_kind(got)}, not {_kind(expected)}"]
    if isinstance(expected, dict):
        found = [f"{place}.{name} is missing" for name in expected if name not in got]
        found += [f"{place}.{name} is too much" for name in got if name not in expected]
        for name in expected:
            if name in got:
                found += compare(expected[name], got[name], player, f"{place}.{name}")
        if "ItemId" in expected and "Played" in expected:
            found += _compare_values(expected, got, player, place)
        return found
    if isinstance(expected, list):
        found = []
        if len(expected) != len(got):
            found.append(f"{place or 'body'}: {len(got)} entries, not {len(expected)}")
        for at, (theirs, ours) in enumerate(zip(expected, got, strict=False)):
            found += compare(theirs, ours, player, f"{place}[{at}]")
        return found
    if isinstance(expected, str):
        player.learn(expected, got, place)
    return []


def _compare_values(expected: dict[str, Any], got: dict[str, Any], player: Player, place: str) -> list[str]:
    found = [
        f"{place}.{name} = {got.get(name)}, not {expected.get(name)}"
        for name in VALUES
        if expected.get(name) != got.get(name)
    ]
    if player.known.get(expected["ItemId"], expected["ItemId"]) != got.get("ItemId"):
        found.append(f"{place}: another item, {got.get('ItemId')}")
    theirs, ours = expected.get("LastPlayedDate"), got.get("LastPlayedDate")
    if theirs in player.sent and theirs != ours:
        found.append(f"{place}.LastPlayedDate = {ours}, not {theirs}")
    if theirs not in player.sent and ours in player.sent:
        found.append(f"{place}.LastPlayedDate = {ours}, not stamped")
    return found


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, int | float):
        return "a number"
    return {str: "a text", list: "a list", dict: "an object"}.get(type(value), "nothing")


__all__ = ["PASSWORDS", "Player", "compare"]
