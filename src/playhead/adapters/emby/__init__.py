"""Emby 4.x: lists whose counts and dates must be asked for, marks with their true date, whole states in one write.

The account is named by user id, so that one API key serves every person of a server. Importing this package loads
nothing but the manifest.
"""

from __future__ import annotations

from playhead.ports.backend import Capabilities, Limit, Manifest

manifest = Manifest(
    name="emby",
    title="Emby",
    settings="playhead.adapters.emby.settings:EmbySettings",
    backend="playhead.adapters.emby.adapter:EmbyBackend",
    webhook="playhead.adapters.emby.webhook:read_webhook",
    capabilities=Capabilities(
        reads=frozenset({"watched", "progress", "rating", "favourite"}),
        writes=frozenset({"watched", "progress"}),
        takes_date=True,
        lean_lists=False,
        page_size=1000,
        writes_at_once=4,
    ),
    tested=("4.8.", "4.9."),
    lines="login",
    by_password="playhead.adapters.emby.signing_in:EmbySignIn",
    limits=(
        Limit(
            "test_the_end_of_a_whole_scan_moves_the_mark",
            "theirs",
            "Emby keeps when a scan of everything ended; that of a library or folder leaves no trace (assumed, as on Jellyfin).",
        ),
        Limit(
            "test_a_scan_is_heard_to_begin_and_to_end",
            "theirs",
            "Nothing is recorded of what an Emby tells of scans on its line.",
        ),
    ),
)
