"""What a file's name says about its library, for a file that the hub cannot see. guessit is loaded at the first need."""

from __future__ import annotations

_KINDS = {"episode": "shows", "movie": "movies"}


def guess_kind(name: str) -> str:
    """``shows``, ``movies``, or "" where the name says nothing."""
    from guessit import guessit

    return _KINDS.get(str(guessit(name).get("type", "")), "")
