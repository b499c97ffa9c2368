"""The log: structured lines on stderr, secrets taken out. Knows nothing of what is logged."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from playhead.kit.log import set_level
from playhead.kit.redact import HIDDEN
from playhead.kit.redact import redact as redact_shapes

_LEVELS = (logging.ERROR, logging.INFO, logging.DEBUG)
_SHORTEST_SECRET = 6
_secrets: set[str] = set()


def hide(secret: str) -> None:
    """Never let this text into the log."""
    if len(secret) >= _SHORTEST_SECRET:
        _secrets.add(secret)


def redact(text: str) -> str:
    """The text without known secrets and without what stands where a token usually stands."""
    for secret in _secrets:
        text = text.replace(secret, HIDDEN)
    return redact_shapes(text)


def set_up_log(verbosity: int, reword: Callable[[str], str] = str) -> None:
    """Log to stderr: errors only, with 1 what is done, with 2 everything. At a terminal its lines are for a person, and
    ``reword`` tells commands in them as that person types them."""
    level = _LEVELS[min(verbosity, len(_LEVELS) - 1)]
    set_level(level, lambda: _set_up_structlog(level, reword))
    logging.basicConfig(
        stream=sys.stderr,
        level=max(level, logging.WARNING),
        format="%(levelname)s %(name)s %(message)s",
        force=True,
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(_redact_record)


def _set_up_structlog(level: int, reword: Callable[[str], str]) -> None:
    import structlog

    def render_for_a_person(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> str:
        return say_event(event, reword)

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.processors.format_exc_info,
            _redact_values,
            render_for_a_person
            if sys.stderr is not None and sys.stderr.isatty()
            else structlog.processors.KeyValueRenderer(
                key_order=["timestamp", "level", "event"], drop_missing=True
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def say_event(event: Mapping[str, Any], reword: Callable[[str], str] = str) -> str:
    """An event as a line for a person: ``21:00:38 reached  connection=Attic version=12.0.0``; the level where it is no news
    as usual, and a single value without its name."""
    values = {
        key: value
        for key, value in event.items()
        if key not in ("timestamp", "level", "event", "exception") and value not in ("", None)
    }
    said = [_say_value(value, alone=len(values) == 1) for value in values.values()]
    if len(values) == 1:
        tail = f": {said[0]}"
    else:
        tail = "".join(
            f"{' ' * (2 - bool(n))}{key}={word}"
            for n, (key, word) in enumerate(zip(values, said, strict=True))
        )
    level = "" if event["level"] in ("info", "debug") else f"{event['level']}: "
    trace = f"\n{event['exception']}" if event.get("exception") else ""
    return f"{event['timestamp']} {level}{event['event']}{reword(tail)}{trace}"


def _say_value(value: Any, *, alone: bool) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return (", " if alone else ",").join(map(str, value))
    text = str(value)
    return text if alone or " " not in text else f'"{text}"'


def _redact_values(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = redact(value)
    return event


def _redact_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), ()
    return True
