"""The judge itself: it finds what is wrong and lets pass what is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.judges.openapi import check, covers
from tests.truth import truth_path

PLEX = ("specs", "plex-official-1.2.0.json")


def document(version: str) -> dict[str, Any]:
    thing = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "integer"}, "next": {"$ref": "#/components/schemas/Thing"}},
        "additionalProperties": False,
    }
    listed = {
        "description": "",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
    }
    names = {"name": "kinds", "in": "query", "schema": {"type": "array", "items": {"enum": ["a", "b"]}}}
    limit = {"name": "limit", "in": "query", "required": True, "schema": {"type": "integer"}}
    return {
        "openapi": version,
        "info": {"title": "Things", "version": "1"},
        "paths": {
            "/things/{id}": {"get": {"parameters": [names, limit], "responses": {"200": listed}}},
            "/things/all": {"post": {"responses": {"204": {"description": ""}}}},
        },
        "components": {"schemas": {"Thing": thing}},
    }


@pytest.fixture(params=["3.0.4", "3.1.0"])
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "spec.json"
    path.write_bytes(msgspec.json.encode(document(request.param)))
    return path


def judge(
    spec: Path, query: dict[str, Any], body: Any, status: int = 200, kind: str = "application/json"
) -> list[str]:
    return check(spec, "GET", "/things/7", query, status, kind, msgspec.json.encode(body))


def test_a_right_exchange_has_no_violation(spec: Path) -> None:
    """Lists by comma or repeated, any case of a name, references followed."""
    good = {"id": 1, "next": {"id": 2}}
    assert judge(spec, {"Kinds": "a,b", "limit": "3"}, good, kind="application/json; charset=utf-8") == []
    assert judge(spec, {"kinds": ["a", "b"], "limit": "3"}, good) == []
    assert check(spec, "POST", "/things/all", {}, 204, None, b"") == []


@pytest.mark.parametrize(
    ("query", "body", "status", "kind", "word"),
    [
        ({}, {"id": 1}, 200, "application/json", "limit is required"),
        ({"limit": "x"}, {"id": 1}, 200, "application/json", "'x' is not of type 'integer'"),
        ({"limit": "1", "kinds": "a,c"}, {"id": 1}, 200, "application/json", "'c' is not one of"),
        ({"limit": "1", "size": "2"}, {"id": 1}, 200, "application/json", "size is not in the document"),
        ({"limit": "1"}, {"id": "1"}, 200, "application/json", ".id: '1' is not of type 'integer'"),
        (
            {"limit": "1"},
            {"id": 1, "next": {}},
            200,
            "application/json",
            ".next: 'id' is a required property",
        ),
        ({"limit": "1"}, {"id": 1, "more": 1}, 200, "application/json", "'more' was unexpected"),
        ({"limit": "1"}, {"id": 1}, 500, "application/json", "status 500"),
        ({"limit": "1"}, {"id": 1}, 200, "text/html", "text/html"),
    ],
)
def test_each_wrong_exchange_is_found(
    spec: Path, query: dict[str, Any], body: Any, status: int, kind: str, word: str
) -> None:
    """Query, status, content type and body, each once and with its place."""
    [violation] = judge(spec, query, body, status, kind)
    assert word in violation
    assert violation.startswith("GET /things/{id}: ")


def test_an_unknown_path_and_a_body_where_none_belongs(spec: Path) -> None:
    """Both are violations."""
    assert check(spec, "GET", "/other", {}, 200, None, b"") == [
        "GET /other: GET /other is not in the document"
    ]
    assert "no body" in check(spec, "POST", "/things/all", {}, 204, "text/plain", b"x")[0]
    assert not covers(spec, "GET", "/other")


def test_a_makers_own_example_fits_its_document() -> None:
    """Plex's document: the example of a section's list has no violation, a list of numbers for titles has."""
    path = truth_path(*PLEX)
    content = msgspec.json.decode(path.read_bytes())
    answer = content["paths"]["/library/sections/{sectionId}/all"]["get"]["responses"]["200"]
    example = answer["content"]["application/json"]["examples"]["aMeta"]["value"]
    query = {"type": "1", "unwatched": "0"}
    sent = ("GET", "/library/sections/26/all", query, 200, "application/json")
    assert check(path, *sent, msgspec.json.encode(example)) == []
    example["MediaContainer"]["Metadata"][0]["duration"] = "long"
    assert "duration" in check(path, *sent, msgspec.json.encode(example))[0]
