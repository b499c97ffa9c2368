"""Jellyfin from 10.8 on: lists with full state, marks with their true date, one write for a whole state.

From 10.9 on everything below holds; 10.8 takes marks but no positions (see docs.md). The account is named by user id, so
that one API key serves every person of a server. Importing this package loads nothing but the manifest.
"""

from __future__ import annotations

from playhead.ports.backend import Capabilities, CodeSignIn, Limit, Manifest

manifest = Manifest(
    name="jellyfin",
    title="Jellyfin",
    settings="playhead.adapters.jellyfin.settings:JellyfinSettings",
    backend="playhead.adapters.jellyfin.adapter:JellyfinBackend",
    webhook="playhead.adapters.jellyfin.webhook:read_webhook",
    capabilities=Capabilities(
        reads=frozenset({"watched", "progress", "rating", "favourite"}),
        writes=frozenset({"watched", "progress"}),
        takes_date=True,
        lean_lists=True,
        page_size=2500,
        writes_at_once=4,
    ),
    tested=("10.11.", "12."),
    lines="login",
    by_code=CodeSignIn(
        flag="--quick-connect",
        help="Sign in by Quick Connect: approve a code in any app where you are signed in.",
        made_by="playhead.adapters.jellyfin.signing_in:JellyfinSignIn",
    ),
    by_password="playhead.adapters.jellyfin.signing_in:JellyfinSignIn",
    limits=(
        Limit(
            "test_the_end_of_a_whole_scan_moves_the_mark",
            "theirs",
            "Jellyfin keeps when a scan of everything ended; the refresh of a library or folder leaves no trace.",
        ),
        Limit(
            "test_a_scan_is_heard_to_begin_and_to_end",
            "theirs",
            "An API key's line tells of playback alone; no tape shows what an administrator's tells of scans.",
        ),
    ),
)
