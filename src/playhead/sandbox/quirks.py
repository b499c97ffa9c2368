"""The quirks of a server in a world: which names there are for a kind, and that no other stands there."""

from __future__ import annotations

from playhead.sandbox.world import WorldServer


def check_quirks(spec: WorldServer, known: frozenset[str]) -> None:
    """Raises ValueError naming those that there are, where a quirk has a name that nobody looks at."""
    unknown = set(spec.quirks) - known
    if unknown:
        raise ValueError(
            f"{spec.name}: no quirk {', '.join(sorted(unknown))}; "
            f"an emulated {spec.kind.capitalize()} has {', '.join(sorted(known))}"
        )
