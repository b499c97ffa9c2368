"""What a person or a script sees: results on stdout, everything else on stderr, errors on one line.

With ``as_json`` stdout gets JSON and nothing else. Colours and bars only where a person sits at a terminal.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.table import Table

from playhead.faces.cli.layout import lay_out
from playhead.ports.errors import PlayheadError
from playhead.runtime.log import redact

if TYPE_CHECKING:
    from rich.progress import Progress

WIDTH_IN_PIPES = 160
COMMAND = re.compile(r"(?<![\w/.@-])playhead( (?:--help|[a-z-]+(?= |$|[|`',.:;)])))")
_typed: list[str] = []  # the program as it was started, once a command knows its home folder


class Screen:
    """Stdout and stderr of one command."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = make_console(stderr=False)
        self.err = make_console(stderr=True)

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return sys.stdin is not None and sys.stdin.isatty() and self.err.is_terminal and not self.as_json

    def say(self, text: str = "", *, style: str | None = None, wrap: bool = True) -> None:
        """A result for a person; silent with ``--json``. Commands to be copied are not to be wrapped."""
        if not self.as_json:
            soft = not (wrap and self.out.is_terminal)
            self.out.print(text, style=style, markup=False, highlight=False, soft_wrap=soft)

    def note(self, text: str, *, style: str | None = None) -> None:
        """Something beside the result: goes to stderr."""
        self.err.print(as_typed(text), style=style, markup=False, highlight=False, soft_wrap=True)

    def show(self, table: Table) -> None:
        """A table for a person; silent with ``--json``."""
        if not self.as_json:
            self.out.print(lay_out(table, self.out.width))

    def give(self, value: Any) -> None:
        """The result for a script; silent without ``--json``."""
        if self.as_json:
            write_json(value)

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """A spinner on stderr for a person at a terminal."""
        if self.as_json or not self.err.is_terminal:
            yield
            return
        with self.err.status(text):
            yield

    def progress(self, *, keep: bool = False) -> Progress | None:
        """Progress bars on stderr for a person at a terminal; gone at the end unless kept. None = nobody sees them."""
        if self.as_json or not self.err.is_terminal:
            return None
        from rich.progress import (  # only here: half of the runs draw none
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        return Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.err,
            transient=not keep,
        )


def make_console(*, stderr: bool) -> Console:
    """A console whose tables are not cut to 80 columns in a pipe, and to which ``[b]`` in a title is no markup."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else WIDTH_IN_PIPES
    return Console(stderr=stderr, width=width, markup=False, emoji=False)


def make_table(*columns: str, title: str | None = None, numbers: Iterable[str] = ()) -> Table:
    """An empty table in the house's look. ``numbers`` are columns that stand to the right."""
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, header_style="dim", pad_edge=False
    )
    for column in columns:
        right = column in set(numbers)
        table.add_column(column, justify="right" if right else "left", no_wrap=right, overflow="fold")
    return table


def bear_any_letter() -> None:
    """Have what the terminal's alphabet lacks shown as ``?``; a title in other letters is no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not _takes_any_letter(stream):
            stream.reconfigure(errors="replace")


def _takes_any_letter(stream: Any) -> bool:
    return str(getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").startswith("utf")


def write_json(value: Any) -> None:
    """One JSON value and a line end on stdout."""
    text = msgspec.json.encode(value).decode()
    if not _takes_any_letter(sys.stdout):
        text = json.dumps(json.loads(text))  # other letters as \\u00e9, which every reader of JSON knows
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def remember_program(home: Path | None) -> None:
    """Note how the program was started, ``--home`` included, for commands that are told in hints."""
    _typed[:] = [program_name() + (f" --home {shlex.quote(str(home))}" if home is not None else "")]


def program_name() -> str:
    """What a person types to start Playhead: ``playhead``, or ``bin/run`` in a copy of the project."""
    return os.environ.get("PLAYHEAD_COMMAND", "playhead")


def as_typed(text: str) -> str:
    """The text with each command in it as the person would type it here: ``bin/run --home DIR sync`` for ``playhead sync``."""
    typed = _typed[0] if _typed else program_name()
    return text if typed == "playhead" else COMMAND.sub(lambda found: typed + found[1], text)


def print_error(error: PlayheadError, *, as_json: bool) -> None:
    """``error: message hint`` on one line of stderr; at a terminal that is narrower no word is broken, and a command that is
    to be pasted stays whole; with ``as_json`` as an object on stdout too."""
    message, hint = (redact(as_typed(" ".join(text.split()))) for text in (error.message, error.hint))
    if as_json:
        write_json({"error": {"code": error.code, "message": message, "hint": hint}})
    console = make_console(stderr=True)
    console.print("error: ", style="bold red", end="", highlight=False)
    whole = f"{message} {hint}".strip()
    if not console.is_terminal or len(whole) + len("error: ") <= console.width:
        console.print(whole, markup=False, highlight=False, soft_wrap=True)
        return
    for text in ("error: " + message, hint):
        lines = [text] if COMMAND.search(error.hint) and text is hint else textwrap.wrap(text, console.width)
        for line in lines:
            console.print(line.removeprefix("error: "), markup=False, highlight=False, soft_wrap=True)
