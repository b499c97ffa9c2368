"""All commands in one Typer application, and the one place where an exception becomes a line and an exit code."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, NamedTuple

import typer

from playhead import __version__
from playhead.faces.cli.options import HomeOption
from playhead.faces.cli.screen import as_typed, bear_any_letter, print_error, program_name, remember_program
from playhead.faces.cli.session import remember_home
from playhead.ports.errors import PlayheadError, UsageError
from playhead.runtime.exits import Exit

_SET_UP, _RUN, _LOOK, _TRY = "Connect", "Bring into agreement", "Look", "Try"
_HUB, _LIBRARIES = "Stay up and be told at once", "Libraries and notices"


class Command(NamedTuple):
    """Where a command stands; its module is imported when it is asked for. ``example`` None: a group of commands."""

    module: str
    name: str
    panel: str
    example: str | None = None


COMMANDS = {  # in the order of their panels, as --help shows them
    "demo": Command("demo", "demo", _TRY, "demo --once"),
    "sandbox": Command("sandbox", "sandbox", _TRY, "sandbox --items 500 --servers plex,jellyfin,emby"),
    "connect": Command("connect", "make_app", _SET_UP),
    "connections": Command("connections", "make_app", _SET_UP),
    "people": Command("people", "make_app", _SET_UP),
    "adopt": Command("adopt", "make_app", _SET_UP),
    "plan": Command("plan", "plan", _RUN, "plan --json"),
    "sync": Command("sync", "sync", _RUN, "sync --dry-run"),
    "import": Command("import_", "import_", _RUN, "import --connection Plex"),
    "export": Command("export", "export", _RUN, "export --connection Emby --dry-run"),
    "held": Command("held", "make_app", _RUN),
    "serve": Command("serve", "serve", _HUB, "serve --base-url http://10.0.0.2:7529"),
    "webhooks": Command("webhooks", "make_app", _HUB),
    "proxy": Command("proxy", "make_app", _HUB),
    "scan": Command("scan", "scan", _LIBRARIES, "scan --path '/media/tv/My Show/Season 1'"),
    "scans": Command("scans", "scans", _LIBRARIES, "scans"),
    "notify": Command("notify", "make_app", _LIBRARIES),
    "biff": Command("biff", "biff", _LIBRARIES, "biff --echo --config /etc/playhead/biff.ini"),
    "api-key": Command("api_key", "make_app", _LIBRARIES),
    "status": Command("status", "status", _LOOK, "status"),
    "items": Command("items", "items", _LOOK, "items matrix"),
    "explain": Command("explain", "explain", _LOOK, "explain 'The Matrix'"),
    "history": Command("history", "history", _LOOK, "history --limit 20"),
    "doctor": Command("doctor", "doctor", _LOOK, "doctor"),
}


def make_app(only: str | None = None) -> typer.Typer:
    """The whole command line, or with one command only, which is quicker."""
    app = typer.Typer(
        name="playhead",
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(
        invoke_without_command=True,
        help="Keeps what each person watched, and where they stopped, in agreement on Plex, Jellyfin and Emby.",
        epilog="Start with: playhead demo, or playhead connect plex. Exit codes: 0 done, 1 failed, 2 usage, 3 held, 4 partly.",
    )(_start)
    for name in [only] if only else COMMANDS:
        command = COMMANDS[name]
        found = getattr(importlib.import_module(f"playhead.faces.cli.{command.module}"), command.name)
        if command.example is None:
            app.add_typer(found(), name=name, rich_help_panel=command.panel)
        else:
            app.command(name, epilog=f"Example: playhead {command.example}", rich_help_panel=command.panel)(
                found
            )
    return app


def _wanted(args: Sequence[str]) -> str | None:
    """The command that the arguments name; None where all are needed (help, completion, a name that is not known)."""
    if any(name.startswith("_") and name.endswith("_COMPLETE") for name in os.environ):
        return None
    rest = iter(args)
    for argument in rest:
        if argument == "--home":
            next(rest, None)
        elif not argument.startswith("-"):
            return argument if argument in COMMANDS else None
        elif not argument.startswith("--home="):
            return None
    return None


def _start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True)
    ] = False,
    home: HomeOption = None,
) -> None:
    if version:
        typer.echo(f"playhead {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(Exit.usage)
    remember_home(home)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run with the arguments and give the exit code; nothing escapes but what ends the interpreter."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    options = args[: args.index("--")] if "--" in args else args
    as_json = "--json" in options
    verbose = "-vv" in options or options.count("-v") + options.count("--verbose") > 1
    remember_program(None)
    bear_any_letter()
    try:
        command = _make_command(_wanted(args), program_name())
        _begin_collecting()
        code = command.main(args, prog_name=program_name(), standalone_mode=False)
        sys.stdout.flush()
        return _tell_interrupted(as_json) if code == Exit.interrupted else int(code or Exit.done)
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            return Exit.usage  # the help is out already
        print_error(UsageError(error.format_message(), hint=_help_hint(error)), as_json=as_json)
        return Exit.usage
    except (KeyboardInterrupt, typer.Abort):
        return _tell_interrupted(as_json)
    except BrokenPipeError:
        return _end_quietly()
    except SystemExit as end:  # what Typer and Rich make of a closed pipe
        if isinstance(end.__context__, BrokenPipeError):
            return _end_quietly()
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence: told, never swallowed
        if verbose:
            sys.excepthook(type(error), error, error.__traceback__)
        known = _make_known(error)
        print_error(known, as_json=as_json)
        return Exit.usage if isinstance(known, UsageError) else Exit.failed


@cache
def _make_command(only: str | None, _program: str) -> Any:
    """The whole command line, or one command, ready to run and worded for how the program was started."""
    command = typer.main.get_command(make_app(only))
    _word_examples(command)
    _order(command)
    return command


def _word_examples(command: Any) -> None:
    """Have the examples below each help begin as the program was started."""
    command.epilog = command.epilog and as_typed(command.epilog)
    for inner in getattr(command, "commands", {}).values():
        _word_examples(inner)


def _order(command: Any) -> None:
    """Commands and groups in the order of the table; by itself Typer would put the groups last."""
    if (known := getattr(command, "commands", None)) is not None:
        command.commands = {name: known[name] for name in COMMANDS if name in known}


def _begin_collecting() -> None:
    """Collect garbage from here on, were it put off; what was loaded is not looked through again."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _make_known(error: BaseException) -> PlayheadError:
    """An error that a person can act on, out of whatever was raised."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, PlayheadError):
        return error
    if (cause := getattr(error, "orig", None)) is not None:  # the database driver's own words
        return PlayheadError(
            f"The database could not be used ({cause}).",
            hint="Is the disk full or the home folder read-only? What was stored stays; run it again.",
        )
    return PlayheadError(
        f"Something went wrong inside Playhead ({type(error).__name__}: {error}).",
        hint="Nothing is lost. Run it again with -vv and report what it shows.",
    )


def _tell_interrupted(as_json: bool) -> int:
    """Ctrl-C, whether it reached us or Typer first."""
    print_error(
        PlayheadError("Interrupted.", hint="What was done stays; run it again to go on."), as_json=as_json
    )
    return Exit.interrupted


def _end_quietly() -> int:
    """Whoever read our output has gone: nothing more can be told."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.broken_pipe


def _help_hint(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"See: {context.command_path} --help" if context is not None else f"See: {program_name()} --help"
