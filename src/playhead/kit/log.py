"""The log as every layer writes it: the name of an event and its values.

Structlog writes; it is loaded and set up when there is something to write, for it costs 4 MB and 30 ms that most runs
never use. ``runtime.log`` says what is written and how it looks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable


class _Settings:
    """What the process was set up with; errors only until then."""

    level = logging.ERROR
    set_up: Callable[[], None] | None = None


class Log:
    """The events of one module."""

    def __init__(self, name: str) -> None:
        self._name = name

    def debug(self, event: str, **values: object) -> None:
        """A detail, for who looks for a fault."""
        self._write(logging.DEBUG, event, values)

    def info(self, event: str, **values: object) -> None:
        """Something that was done."""
        self._write(logging.INFO, event, values)

    def warning(self, event: str, **values: object) -> None:
        """Something that went wrong and is being dealt with."""
        self._write(logging.WARNING, event, values)

    def _write(self, level: int, event: str, values: dict[str, object]) -> None:
        if level < _Settings.level:
            return
        import structlog

        if _Settings.set_up is not None:
            _Settings.set_up()
            _Settings.set_up = None
        structlog.get_logger(self._name).log(level, event, **values)


def set_level(level: int, set_up: Callable[[], None]) -> None:
    """Write events of this level (as in ``logging``) and above; ``set_up`` is called before the first is written."""
    _Settings.level, _Settings.set_up = level, set_up
