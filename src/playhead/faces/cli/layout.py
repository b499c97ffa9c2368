"""Fits a table to a terminal: no word is broken while there is room for it, and a table that cannot fit is told row by row.

Rich shares out columns by their natural widths alone and then breaks words. Cells are texts, plain or styled.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

GAP = 2  # blanks between columns
READABLE = 12  # a column of prose is no narrower than this where that can be


def lay_out(table: Table, width: int) -> RenderableType:
    """The table with its columns' widths set for a screen of ``width``, or its rows as lists where words would break."""
    natural = [max(map(cell_len, texts)) for texts in _texts(table)]
    room = width - GAP * len(natural)
    if sum(natural) <= room:
        return table
    for readable in (READABLE, 0):
        least = [
            most if column.no_wrap else max(_longest_word(texts), min(most, readable))
            for column, texts, most in zip(table.columns, _texts(table), natural, strict=True)
        ]
        if sum(least) <= room:
            for column, given in zip(table.columns, share_out(least, natural, room), strict=True):
                column.width = given
            return table
    return _stack(table)


def share_out(least: Sequence[int], natural: Sequence[int], room: int) -> list[int]:
    """Widths between the least and the natural ones that fill the room; what lacks little is served first."""
    widths = list(least)
    left = room - sum(least)
    places = sorted(range(len(widths)), key=lambda place: natural[place] - least[place])
    for done, place in enumerate(places):
        more = min(natural[place] - least[place], left // (len(places) - done))
        widths[place] += more
        left -= more
    return widths


def _texts(table: Table) -> list[list[str]]:
    return [[str(column.header), *map(str, column.cells)] for column in table.columns]


def _longest_word(texts: Sequence[str]) -> int:
    return max((cell_len(word) for text in texts for word in text.split()), default=0)


def _stack(table: Table) -> RenderableType:
    """Each row as a heading with its other cells below it, each after its column's name; empty ones are left out."""
    columns = [list(column.cells) for column in table.columns]
    heading = next((n for n, column in enumerate(table.columns) if column.justify != "right"), 0)
    names = [str(column.header) for column in table.columns]
    longest = max(map(cell_len, names))
    parts: list[RenderableType] = [Text(str(table.title), style="bold")] if table.title else []
    for row, title in enumerate(columns[heading]):
        parts.append(Text(str(title), style="bold"))
        grid = Table.grid(padding=(0, GAP))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for place, cells in enumerate(columns):
            if place != heading and str(cells[row]):
                grid.add_row(f"  {names[place]:<{longest}}", cells[row])
        parts.append(grid)
    return Group(*parts)
