"""Questions to the person at the terminal, on stderr, so that stdout stays the result's."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping, Sequence

from rich.prompt import Confirm, Prompt

from playhead.faces.cli.screen import Screen
from playhead.ports.errors import UsageError


def ask_text(screen: Screen, question: str, *, default: str | None = None) -> str:
    """A line of text, asked again until there is one."""
    while True:
        answer = (Prompt.ask(question, console=screen.err, default=default) or "").strip()
        if answer:
            return answer
        screen.note("Something is needed here; Ctrl-C leaves without changing anything.")


def ask_secret(screen: Screen, question: str) -> str:
    """A line that is not shown while it is typed."""
    while True:
        answer = getpass.getpass(f"{question}: ", stream=sys.stderr).strip()
        if answer:
            return answer
        screen.note("Something is needed here; Ctrl-C leaves without changing anything.")


def ask_choice(
    screen: Screen,
    question: str,
    choices: Sequence[str],
    *,
    default: str | None = None,
    about: Mapping[str, str] | None = None,
) -> str:
    """One of several; ``about`` says a line of each. Enter alone takes the default, where there is one."""
    if about:
        screen.note(question)
        widest = max(map(len, about))
        for choice, line in about.items():
            screen.note(f"  {choice:<{widest}}  {line}")
        question = "Which"
    return str(
        Prompt.ask(
            question, console=screen.err, choices=list(choices), case_sensitive=False, default=default or ...
        )
    )


def ask_yes(screen: Screen, question: str, *, default: bool = True) -> bool:
    """Yes or no."""
    return Confirm.ask(question, console=screen.err, default=default)


def confirm_or_refuse(screen: Screen, question: str, *, yes: bool) -> None:
    """Go on only with a yes. Raises UsageError where nobody can be asked and ``--yes`` was not given, or on a no."""
    if yes:
        return
    if not screen.interactive:
        raise UsageError(f"This needs a yes: {question}", hint="Give --yes.")
    if not ask_yes(screen, question, default=False):
        raise UsageError("Nothing was changed.")


def read_stdin_secret() -> str:
    """The first line of stdin; typed at a terminal it is not shown."""
    if sys.stdin.isatty():
        text = getpass.getpass("Token (not shown): ", stream=sys.stderr).strip()
    else:
        text = sys.stdin.readline().strip()
    if not text:
        raise UsageError(
            "No token came on standard input.",
            hint="Pipe it in: printf %s TOKEN | playhead connect ... --token -",
        )
    return text
