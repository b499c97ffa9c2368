"""What holds of watch state after any sequence of writes, as measured on real servers (facts, api-plex.md 2.2)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from playhead.sandbox.clock import Clock, SkewedClock
from playhead.sandbox.plex.core import PlexCore
from playhead.sandbox.plex.watchstate import MINIMUM_PROGRESS_MS
from tests.sandbox.plex.worlds import E1, NOW, SHOW, make_world

_WRITES = st.one_of(
    st.tuples(st.sampled_from(["scrobble", "unscrobble", "play"]), st.sampled_from([E1, SHOW]), st.just(0)),
    st.tuples(st.just("report"), st.just(E1), st.integers(0, 3_600_000)),
)


@given(st.lists(_WRITES, max_size=12))
def test_what_holds_after_any_writes(writes: list[tuple[str, int, int]]) -> None:
    """A count or an offset has a date; an offset is at least a minute and below 90 %; unscrobble leaves nothing."""
    world = make_world()
    core = PlexCore(world, world.servers[0], SkewedClock(Clock(NOW)))
    for step, (name, key, offset) in enumerate(writes):
        node, at = core.catalogue.nodes[key], NOW + step
        if name == "report":
            core.state.report(1, node, offset, at, client="c")
        elif name == "unscrobble":
            core.state.unscrobble(1, node)
        else:
            getattr(core.state, name)(1, node, at)
        for guid, setting in core.state.of(1).items():
            assert setting.last_viewed or not (setting.view_count or setting.view_offset)
            held = core.catalogue.by_guid[guid][0]
            if setting.view_offset:
                assert MINIMUM_PROGRESS_MS <= setting.view_offset < 0.9 * held.duration
        if name == "unscrobble":
            assert not any(
                (s := core.state.of(1).get(leaf.guid)) and (s.view_count or s.view_offset or s.last_viewed)
                for leaf in node.leaves()
            )
