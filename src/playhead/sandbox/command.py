"""The options of ``playhead sandbox``. They live here so that ``python -m playhead.sandbox`` works by itself."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Annotated

import typer

from playhead.sandbox.generate import generate_world
from playhead.sandbox.run import HOST
from playhead.sandbox.serve import serve
from playhead.sandbox.world import load_world

DEFAULT_SERVERS = "plex,jellyfin,emby"


def sandbox(
    world: Annotated[
        Path | None,
        typer.Option(
            "--world", metavar="FILE", help="A world as a JSON file; or else --items.", show_default=False
        ),
    ] = None,
    items: Annotated[
        int | None,
        typer.Option(
            "--items",
            metavar="N",
            min=1,
            help="Make a world with this many movies and episodes.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="The same seed makes the same world.")] = 1,
    servers: Annotated[
        str,
        typer.Option(
            "--servers",
            metavar="LIST",
            help=f"Kinds, with a version where wanted: plex,jellyfin:10.11.11,emby. Else {DEFAULT_SERVERS}.",
            show_default=False,
        ),
    ] = DEFAULT_SERVERS,
    plain: Annotated[bool, typer.Option("--plain", help="Leave out every oddity.")] = False,
    contradictions: Annotated[
        bool, typer.Option("--contradictions", help="Give a few items ids that contradict each other.")
    ] = False,
    rich: Annotated[bool, typer.Option("--rich", help="Bodies as large as a real server's.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="First line on stdout: where everything is, as JSON.")
    ] = False,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")] = HOST,
) -> None:
    """Run emulated Plex, Jellyfin and Emby servers until stopped."""
    if (world is None) == (items is None):
        raise typer.BadParameter("give either --world FILE or --items N")
    gc.disable()  # until the world stands; ``serve`` turns it on
    try:
        made = (
            load_world(world)
            if world
            else generate_world(
                items or 0,
                seed=seed,
                servers=[part.strip() for part in servers.split(",") if part.strip()],
                plain=plain,
                contradictions=contradictions,
                rich=rich,
            )
        )
        asyncio.run(serve(made, host=host, as_json=json))
    except (ValueError, OSError) as error:
        typer.echo(f"The sandbox did not start: {error}", err=True)
        raise typer.Exit(2) from error
    finally:
        gc.enable()
