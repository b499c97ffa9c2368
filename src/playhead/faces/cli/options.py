"""Options that many commands share, with one wording each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help="The folder that holds this installation (else PLAYHEAD_HOME, else the usual place).",
        show_default=False,
    ),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Nothing but JSON on stdout.")]
Verbosity = Annotated[
    int,
    typer.Option(
        "-v",
        "--verbose",
        count=True,
        metavar="",
        show_default=False,
        help="Say what is done; -vv everything, with tracebacks.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done and do nothing.")]
CheckOnly = Annotated[bool, typer.Option("--dry-run", help="Check everything and save nothing.")]
Full = Annotated[bool, typer.Option("--full", help="Read everything again, also what seems unchanged.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")]
ConnectionNames = Annotated[
    list[str] | None,
    typer.Option(
        "--connection",
        "-c",
        metavar="NAME",
        help="Only this connection; may be given again.",
        show_default=False,
    ),
]
PersonName = Annotated[
    str | None, typer.Option("--person", metavar="NAME", help="Only this person.", show_default=False)
]
