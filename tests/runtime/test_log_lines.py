"""How an event looks at a terminal."""

from __future__ import annotations

import pytest

from playhead.runtime.log import say_event


@pytest.mark.parametrize(
    ("level", "event", "values", "line"),
    [
        ("info", "run says", {"line": "Read 18 items."}, "21:00:43 run says: Read 18 items."),
        ("info", "listening", {"connection": "Attic"}, "21:00:43 listening: Attic"),
        (
            "info",
            "run begins",
            {"connections": ["Attic", "Den"], "full": False},
            "21:00:43 run begins  connections=Attic,Den full=False",
        ),
        (
            "warning",
            "reached",
            {"name": "Living room", "skew_s": -0.475319},
            '21:00:43 warning: reached  name="Living room" skew_s=-0.48',
        ),
        ("info", "the settings changed", {}, "21:00:43 the settings changed"),
        (
            "info",
            "scan",
            {"connection": "Den", "path": "", "files": 0},
            "21:00:43 scan  connection=Den files=0",
        ),
    ],
)
def test_a_line_for_a_person_is_short(level: str, event: str, values: dict[str, object], line: str) -> None:
    """No quotes and names where they tell nothing; the level where it is no news as usual."""
    assert say_event({"timestamp": "21:00:43", "level": level, "event": event, **values}) == line


def test_commands_in_it_are_told_as_the_person_types_them() -> None:
    """In its values, not in the name of the event."""
    told = {"timestamp": "21:00:43", "level": "warning", "event": "playhead", "hint": "playhead people link"}
    assert (
        say_event(told, lambda text: text.replace("playhead", "bin/run"))
        == "21:00:43 warning: playhead: bin/run people link"
    )
