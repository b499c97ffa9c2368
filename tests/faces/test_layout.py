"""Tables on screens of any width: words stay whole, lines stay on the screen, and nothing is left out."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from playhead.faces.cli.layout import lay_out
from playhead.faces.cli.screen import Screen, make_table

HEADERS = ("name", "kind", "address", "user", "items", "libraries")
ROWS = [
    ("Living room Plex", "plex", "http://127.0.0.1:36267", "alice", "2,989", "all without Home videos"),
    ("Jellyfin", "jellyfin", "http://192.168.178.20:8096", "alexandra", "172,000", "Movies, Documentaries"),
    ("Emby", "emby", "http://nas:8096", "bob", "0", ""),
]


def render(width: int) -> list[str]:
    table = make_table(*HEADERS, title="What is there", numbers=("items",))
    for row in ROWS:
        table.add_row(*row)
    out = io.StringIO()
    Console(file=out, width=width, markup=False).print(lay_out(table, width))
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 50, 60, 70, 80, 100, 120, 160])
def test_no_word_is_broken_on_any_screen(width: int) -> None:
    """The longest here has 26 letters: 40 columns are room enough."""
    lines = render(width)
    words = {word for line in lines for word in line.split()}
    assert max(map(len, lines)) <= width
    assert {word for row in (HEADERS[1:], *ROWS) for text in row for word in text.split()} <= words
    assert lines[0].strip() == "What is there"


def test_a_table_that_fits_is_a_table_and_one_that_cannot_fit_is_told_row_by_row() -> None:
    """With the name of the column before each value, and nothing where there is none."""
    assert render(120)[1].split() == list(HEADERS)
    lines = [line.rstrip() for line in render(50)]
    assert lines[1:3] == ["Living room Plex", "  kind       plex"]
    assert lines[lines.index("Emby") :] == [
        "Emby",
        "  kind       emby",
        "  address    http://nas:8096",
        "  user       bob",
        "  items      0",
    ]


@pytest.mark.usefixtures("cli")
def test_brackets_in_a_title_are_no_markup(capfd: pytest.CaptureFixture[str]) -> None:
    """``[rec]`` is a film, and ``[/rec]`` no reason to fail."""
    table = make_table("item")
    table.add_row("[rec] (2007) :smile:")
    table.add_row("[/rec]")
    Screen().show(table)
    shown = capfd.readouterr().out
    assert "[rec] (2007) :smile:" in shown and "[/rec]" in shown
