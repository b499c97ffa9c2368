"""What a person can set about notices, as typed values: who is told of what, where, how often. A part of the settings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Kind = Literal["movies", "episodes", "other"]
KINDS: dict[str, Kind] = {"movie": "movies", "episode": "episodes", "other": "other"}


class NoticeSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One rule: who is told of what. Empty lists mean all. ``admin``: it tells of Playhead's own failures, of nothing else."""

    name: Annotated[str, Meta(pattern=r"^[^\s/][^/\n]*$")]
    to: Annotated[str, Meta(pattern=r"^(store|env|file):.+")]
    person: str = ""
    connections: list[str] = []
    libraries: list[str] = []
    kinds: list[Kind] = []
    upgrades: bool = False
    admin: bool = False
    template: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+$")] = "standard"
    quiet_s: Annotated[float, Meta(ge=0, le=86_400)] = 300.0
    longest_wait_s: Annotated[float, Meta(ge=0, le=604_800)] = 3600.0
    most_a_day: Annotated[int, Meta(ge=1)] = 12


def find_second(rules: list[NoticeSettings]) -> int | None:
    """The place of the first rule whose name another one has; None where each has its own."""
    names: set[str] = set()
    for place, rule in enumerate(rules):
        if rule.name.casefold() in names:
            return place
        names.add(rule.name.casefold())
    return None


NOTICES_ALLOWED: dict[str, Any] = {
    "notices": "a list of rules with 'name' and 'to', each name once",
    "to": "a reference to an apprise address: store:NAME, env:NAME or file:PATH, never the address itself",
    "kinds": "a list of movies, episodes, other",
    "connections": "names of connections",
    "upgrades": "true or false",
    "admin": "true or false",
    "template": "the name of a template: letters, digits, - and _",
    "most_a_day": "a number from 1",
}
