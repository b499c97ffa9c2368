"""The emulated answers against what real servers answered: keys and types are among the recorded ones."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec
import pytest

from playhead.sandbox.run import run_world
from tests.sandbox.plex.conftest import Client
from tests.sandbox.plex.worlds import E1, LEGACY, MATRIX, SHOW, make_world
from tests.truth import truth_path

_TYPES = {"int": int, "float": float, "str": str, "list": list, "obj": dict, "bool": bool}
# Fields of no list that was recorded in the inventory, with the evidence for them.
_KNOWN_ELSEWHERE = {
    "list:movie": {"userRating": "fractions: recorded/plex/pms-1.43.3, pms_watched_user_rating"},
    "list:episode": {
        "viewOffset": "facts 2.2: items in progress; none of the 80 recorded episodes was",
        "userRating": "recorded on movies",
        "lastRatedAt": "recorded on movies",
    },
}
_ALWAYS = {
    "list:movie": {
        "ratingKey",
        "key",
        "guid",
        "type",
        "title",
        "summary",
        "addedAt",
        "updatedAt",
        "duration",
        "Media",
    },
    "list:show": {
        "ratingKey",
        "key",
        "guid",
        "type",
        "title",
        "leafCount",
        "viewedLeafCount",
        "childCount",
        "index",
    },
    "list:season": {
        "ratingKey",
        "key",
        "guid",
        "type",
        "title",
        "leafCount",
        "viewedLeafCount",
        "parentRatingKey",
        "index",
    },
    "list:episode": {
        "parentRatingKey",
        "grandparentRatingKey",
        "parentGuid",
        "grandparentGuid",
        "parentTitle",
        "grandparentTitle",
        "index",
        "parentIndex",
        "Media",
    },
}


def inventory() -> dict[str, Any]:
    path = truth_path("recorded", "plex", "field-inventory", "plex-field-inventory.json")
    return dict(msgspec.json.decode(path.read_bytes()))


def judge(shape: str, entry: dict[str, Any], recorded: dict[str, Any]) -> list[str]:
    """What of an entry was never seen at a real server."""
    known = dict(recorded[shape]["fields"])
    if shape.startswith("detail:"):
        for name, value in recorded[shape.replace("detail:", "list:")]["fields"].items():
            known.setdefault(name, value)
    wrong = []
    for name, value in entry.items():
        if name in _KNOWN_ELSEWHERE.get(shape.replace("detail:", "list:"), {}):
            continue
        if name not in known:
            wrong.append(f"{shape} has no {name}")
        elif not any(type(value) is _TYPES[kind] for kind in known[name]["types"]):
            wrong.append(f"{shape}.{name}: {value!r} is none of {list(known[name]['types'])}")
    return wrong


@pytest.mark.parametrize("rich", [False, True])
@pytest.mark.parametrize(
    ("shape", "path", "query"),
    [
        ("list:movie", "/library/sections/1/all", "includeGuids=1"),
        ("list:show", "/library/sections/3/all", "includeGuids=1"),
        ("list:season", f"/library/metadata/{SHOW}/children", ""),
        ("list:season", "/library/sections/3/all", "type=3"),
        ("list:episode", "/library/sections/3/all", "type=4&includeGuids=1"),
        ("list:movie", "/library/all", "type=1"),
        ("list:episode", "/library/all", "type=4"),
        ("detail:movie", f"/library/metadata/{MATRIX}", ""),
        ("detail:movie", f"/library/metadata/{LEGACY}", ""),
        ("detail:show", f"/library/metadata/{SHOW}", ""),
        ("detail:episode", f"/library/metadata/{E1}", ""),
    ],
)
async def test_items_have_only_recorded_fields(
    session: aiohttp.ClientSession, shape: str, path: str, query: str, rich: bool
) -> None:
    """Keys and types are a subset of the inventory's; what was there in each recorded item is here as well."""
    recorded = inventory()
    async with run_world(make_world(rich=rich)) as box:
        server = box.server("plex")
        for item in ("matrix", "e1"):
            server.act("alice", item, "play", at=1_690_000_000, args={})
        server.act("alice", "matrix", "rate", at=None, args={"rating": 6})
        alice = Client(session, box.url("plex"), box.token("plex", "alice"))
        entries = (await alice.container(path, query))["Metadata"]
    assert [text for entry in entries for text in judge(shape, entry, recorded)] == []
    for entry in entries:
        assert _ALWAYS.get(shape, set()) <= set(entry)


def shapes_below(value: Any) -> dict[str, set[str]]:
    """Every key that a list's container has, with the names of its types."""
    return {key: {type(part).__name__} for key, part in value.items()}


@pytest.mark.parametrize(
    ("recorded", "path", "query"),
    [
        (
            "pms-1.40/get-library-items.1.json",
            "/library/sections/1/all",
            "X-Plex-Container-Start=0&X-Plex-Container-Size=2",
        ),
        ("pms-1.25-1.31/mocks/server/media/tv_library.json", "/library/sections/3/all", ""),
        ("pms-1.40/get-media-meta-data.1.json", f"/library/metadata/{SHOW}", ""),
        (
            "pms-1.25-1.31/mocks/timeline/timeline.json",
            "/:/timeline",
            "ratingKey={}&state=stopped&time=300000",
        ),
        ("pms-1.25-1.31/mocks/server/prefs.json", "/:/prefs", ""),
    ],
)
async def test_containers_have_only_recorded_fields(
    alice: Client, recorded: str, path: str, query: str
) -> None:
    """The container around the items: keys and types as recorded; paged ones have totals, others do not."""
    truth = msgspec.json.decode(truth_path("recorded", "plex", *recorded.split("/")).read_bytes())
    real = truth.get("response", truth)["MediaContainer"]
    ours = await alice.container(path, query.format(MATRIX))
    allowed = shapes_below(real) | {"content": {"str"}}
    assert {key: kind for key, kind in shapes_below(ours).items() if allowed.get(key) != kind} == {}
    for key in ("totalSize", "offset"):
        assert (key in ours) == (key in real)


async def test_plex_tv_resources_are_as_recorded(box: Any, session: aiohttp.ClientSession) -> None:
    """Keys and types of a device and its connections."""
    truth = msgspec.json.decode(
        truth_path("recorded", "plex", "pms-1.43.3", "plextv_resources.json").read_bytes()
    )
    real = truth["entries"][0]
    headers = {"X-Plex-Token": box.token("plex", "alice"), "Accept": "application/json"}
    async with session.get(box.extra_urls["plextv"] + "/api/v2/resources", headers=headers) as response:
        [ours] = await response.json()
    assert set(ours) <= set(real)
    for key, value in ours.items():
        assert type(value) is type(real[key]) or real[key] is None, key
    assert set(ours["connections"][0]) <= set(real["connections"][0])
