"""Steps of the tapes at which the emulator differs from the real server on purpose, each with its reason.

Keyed by version, number of the file and index of the step. The list only shrinks.
"""

from __future__ import annotations

_TASKS = "of the server's tasks only the scan and those of the webhook plugin are emulated"
DIFFERENCES: dict[tuple[str, str, int], str] = {
    (
        "10.11.11",
        "00",
        16,
    ): "the scan still runs and shows RefreshProgress; the tapes are played without time",
    ("10.11.11", "13", 21): "when the real server last saved each item's metadata is not on the tape",
    ("10.11.11", "13", 22): "an order by times of the real database that are not on the tape",
    ("10.11.11", "15", 3): _TASKS,
    ("10.11.11", "15", 4): _TASKS,
    ("12.0.0", "15", 3): _TASKS,
    ("12.0.0", "15", 4): _TASKS,
    (
        "10.11.11",
        "16",
        43,
    ): "the item was caught with streams but without run time; here it is read in one go",
}
