"""The emulator answers as the real servers did, step by step.

A chain of files is played on one server, which begins with the state that the first reads show; within a chain nothing
is set right, but where the recorder did something between two files. What differs on purpose stands in ``differences``.
"""

from __future__ import annotations

import pytest

from playhead.sandbox.jellyfin.scans import LibraryTask
from tests.sandbox.jellyfin.differences import DIFFERENCES
from tests.sandbox.jellyfin.player import SCAN_S, Player
from tests.sandbox.jellyfin.tape import VERSIONS, Tape, find_name

BOTH = (
    ("00",),
    ("01", "02", "03", "04", "05", "06", "07", "08", "25"),
    ("13", "12"),
    ("14",),
    ("15",),
    ("16", "20", "23", "24"),
    ("27",),
)
ONLY_10_11 = (("12", "12b"), ("12c",), ("12d",), ("20b",), ("20c",), ("26",))
PLAYED = [(version, chain) for version in VERSIONS for chain in BOTH]
PLAYED += [("10.11.11", chain) for chain in ONLY_10_11]
SET_RIGHT = {"12", "23"}  # state was changed off the tape before these
SLOW = {"15"}  # scans take time there
AHEAD = {"12b"}  # what this shows of other items was there before the chain
LONGEST_LIST = 10


@pytest.mark.parametrize(
    ("version", "chain"), PLAYED, ids=lambda value: value if isinstance(value, str) else "-".join(value)
)
async def test_every_step_is_answered_as_on_the_tape(version: str, chain: tuple[str, ...]) -> None:
    """Status, content type, keys and types of each answer, and the values of user data, equal the tape's."""
    names = {number: find_name(version, number) for number in chain}
    first = names[chain[0]] if chain[0] in ("00", "01") else ""
    player = Player(version, wizard=chain[0] == "00", first_file=first)
    if SLOW & names.keys():
        player.server.library_task = LibraryTask(player.server, SCAN_S)
    for number in AHEAD & names.keys():
        player.bring_state(Tape(version, names[number]))
    unexpected, agreeing = [], []
    for number, name in names.items():
        found = await player.play(Tape(version, name), go_on=number not in SET_RIGHT | {chain[0]})
        allowed = {step for (of, file, step) in DIFFERENCES if (of, file) == (version, number)}
        unexpected += [
            f"{name} step {step}: {'; '.join(why)}" for step, why in found.items() if step not in allowed
        ]
        agreeing += [f"{name} step {step}" for step in sorted(allowed - set(found))]
    print(f"{version} {'-'.join(chain)}: {player.compared} steps compared")  # noqa: T201
    assert not unexpected, "\n".join(unexpected)
    assert not agreeing, f"these agree now, take them off the list: {agreeing}"


def test_the_list_of_differences_is_short() -> None:
    """Every difference has a reason, and there are few."""
    print(f"{len(DIFFERENCES)} steps differ on purpose")  # noqa: T201
    assert len(DIFFERENCES) <= LONGEST_LIST
    assert all(len(reason) > 20 for reason in DIFFERENCES.values())
