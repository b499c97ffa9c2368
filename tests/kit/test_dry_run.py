"""The dry run: everything is read, nothing is written, and the receipt does not pretend."""

from __future__ import annotations

import pytest

from playhead.adapters import find_manifests
from playhead.domain.state.reading import State
from playhead.kit.wrap.dry_run import CODE, DryRun
from playhead.ports.backend import Backend, Manifest, Outcome, Write
from tests.contract.rig import open_rig, read_entries, wish
from tests.contract.world import SERVER


@pytest.mark.parametrize("manifest", find_manifests().values(), ids=find_manifests().keys())
async def test_a_dry_run_reads_the_same_and_sends_no_write(manifest: Manifest) -> None:
    """On every adapter: same answers, no request for a write, state untouched, after is unknown."""
    async with open_rig(manifest) as rig:
        plain = rig.connect()
        dry: Backend = DryRun(plain)
        assert (await dry.probe()).server_id == (await plain.probe()).server_id
        assert await dry.check_account() == await plain.check_account()
        assert await dry.list_users() == await plain.list_users()
        entries = await read_entries(dry)
        assert entries == await read_entries(plain)
        assert await dry.fetch_entries([entries[0].native_id]) == await plain.fetch_entries(
            [entries[0].native_id]
        )
        rows, asked = rig.box.server(SERVER).state_rows("anna"), len(rig.asked)
        for entry in entries:
            receipt = await dry.apply(wish(entry, "watched", watched=not entry.watched))
            assert (receipt.outcome, receipt.after, receipt.error_code) == (Outcome.done, None, CODE)
            assert "nothing was sent" in receipt.message
        assert len(rig.asked) == asked
        assert rig.box.server(SERVER).state_rows("anna") == rows
        await dry.close()


async def test_what_was_kept_back_can_be_shown() -> None:
    """In the order asked for."""
    dry = DryRun(None)  # type: ignore[arg-type]  # apply must not touch what it wraps
    writes = [Write(str(n), "movie", frozenset({"watched"}), State(watched=True), State()) for n in range(3)]
    for write in writes:
        await dry.apply(write)
    assert dry.kept_back == writes
