"""``playhead biff``: a mail on standard input, and the finished downloads in it go to the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from playhead.biff import read_script, script


def biff(
    echo: Annotated[
        bool, typer.Option("--echo", "-e", help="Pass the mail on, byte for byte, with the result below it.")
    ] = False,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="The hub; else PLAYHEAD_URL or the settings file.",
            show_default=False,
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--key-file",
            metavar="FILE",
            help="A file with its key; else PLAYHEAD_API_KEY.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Settings, section biff; else PLAYHEAD_BIFF_CONFIG, ~/.config/playhead/biff.ini, /etc/playhead/biff.ini.",
            show_default=False,
        ),
    ] = None,
    pattern: Annotated[
        list[str] | None,
        typer.Option(
            "--pattern",
            metavar="REGEX",
            help="For mails of another program: (?P<name>...) and perhaps (?P<folder>...); may be given again.",
            show_default=False,
        ),
    ] = None,
    location: Annotated[
        str | None,
        typer.Option(
            "--location",
            metavar="REGEX",
            help="Only downloads whose folder, as the mail has it, matches.",
            show_default=False,
        ),
    ] = None,
    paths: Annotated[
        bool, typer.Option("--paths", help="Post whole paths where the mail has them, not bare names.")
    ] = False,
    spool: Annotated[
        str | None,
        typer.Option(
            "--spool",
            metavar="FILE",
            help="Where waits what the hub did not take; 'none' = nowhere; else ~/.local/state/playhead/biff.ndjson.",
            show_default=False,
        ),
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            "--ca-file", metavar="FILE", help="Certificates to check an https hub by.", show_default=False
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", metavar="SECONDS", help="For one answer of the hub; else 10.", show_default=False
        ),
    ] = None,
    deliver: Annotated[bool, typer.Option("--deliver", help="Read no mail, only send what waits.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Post nothing; say what would be.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No result lines.")] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Exit 1 where not all was taken, 2 where a setting is wrong; else 0."),
    ] = False,
    print_script: Annotated[
        bool,
        typer.Option(
            "--print-script",
            help="Print this as one file for Python 3.9 or newer, for a machine without Playhead.",
        ),
    ] = False,
) -> None:
    """Find the finished downloads in a mail on standard input and have the hub look for them; for procmail, sieve, fetchmail."""
    if print_script:
        return typer.echo(read_script(), nl=False)
    given = {
        "--url": url,
        "--key-file": key_file,
        "--config": config,
        "--location": location,
        "--spool": spool,
        "--ca-file": ca_file,
        "--timeout": timeout,
    }
    flags = {
        "--echo": echo,
        "--paths": paths,
        "--deliver": deliver,
        "--dry-run": dry_run,
        "--quiet": quiet,
        "--strict": strict,
    }
    arguments = [f"{name}={value}" for name, value in given.items() if value is not None]
    arguments += [name for name, on in flags.items() if on]
    raise typer.Exit(script.main([*arguments, *(f"--pattern={each}" for each in pattern or [])]))
