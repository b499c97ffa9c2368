"""Decoders for declared shapes, made by one thread at a time.

msgspec looks at a shape the first time it is decoded into. Two threads that do so at the same moment for the same shape crash the
interpreter (seen with msgspec 0.22: one of them meets what the other has half made). What was looked at once is safe.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_ONE_AT_A_TIME = Lock()
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_looked_at: set[type[msgspec.Struct]] = set()


def make_decoder(shape: type[T]) -> msgspec.json.Decoder[T]:
    """The lenient JSON decoder of a shape; the same again when it is asked for again."""
    decoder = _decoders.get(shape)
    if decoder is None:
        with _ONE_AT_A_TIME:
            decoder = _decoders.setdefault(shape, msgspec.json.Decoder(shape, strict=False))
    return decoder


def prepare_shapes() -> int:
    """Have every shape that is declared so far looked at, before threads begin that decode; how many were new."""
    with _ONE_AT_A_TIME:
        new = [shape for shape in _list_declared(msgspec.Struct) if shape not in _looked_at]
        for shape in new:
            _look_at(shape)
        _looked_at.update(new)
    return len(new)


def _look_at(shape: Any) -> None:
    try:
        msgspec.json.Decoder(shape)
    except (TypeError, NameError):
        return  # nothing is ever decoded into it


def _list_declared(shape: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for each in shape.__subclasses__():
        yield each
        yield from _list_declared(each)
