"""The quirks and delays of a server in a world: which names there are for a kind, and that no other stands there."""

from __future__ import annotations

from collections.abc import Mapping

from playhead.sandbox.world import WorldServer


def check_quirks(spec: WorldServer, known: frozenset[str]) -> None:
    """Raises ValueError naming those that there are, where a quirk has a name that nobody looks at."""
    unknown = set(spec.quirks) - known
    if unknown:
        raise ValueError(
            f"{spec.name}: no quirk {', '.join(sorted(unknown))}; "
            f"an emulated {spec.kind.capitalize()} has {', '.join(sorted(known))}"
        )


def read_delays(spec: WorldServer, known: Mapping[str, float]) -> dict[str, float]:
    """The seconds of each delay that there is, the world's or else the usual ones. Raises ValueError for other names."""
    unknown = set(spec.delays) - set(known)
    if unknown:
        raise ValueError(
            f"{spec.name}: no delay {', '.join(sorted(unknown))}; "
            f"an emulated {spec.kind.capitalize()} has {', '.join(sorted(known))}"
        )
    if any(seconds < 0 for seconds in spec.delays.values()):
        raise ValueError(f"{spec.name}: a delay is 0 or more seconds")
    return {**known, **spec.delays}
