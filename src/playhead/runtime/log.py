"""The log: structured lines on stderr, secrets taken out. Knows nothing of what is logged."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
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


def set_up_log(verbosity: int) -> None:
    """Log to stderr: errors only, with 1 what is done, with 2 everything."""
    level = _LEVELS[min(verbosity, len(_LEVELS) - 1)]
    set_level(level, lambda: _set_up_structlog(level))
    logging.basicConfig(
        stream=sys.stderr,
        level=max(level, logging.WARNING),
        format="%(levelname)s %(name)s %(message)s",
        force=True,
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(_redact_record)


def _set_up_structlog(level: int) -> None:
    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.processors.format_exc_info,
            _redact_values,
            structlog.processors.KeyValueRenderer(
                key_order=["timestamp", "level", "event"], drop_missing=True
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _redact_values(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = redact(value)
    return event


def _redact_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), ()
    return True
