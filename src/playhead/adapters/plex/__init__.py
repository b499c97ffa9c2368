"""Plex Media Server: lists by section, state per account and guid, marks without a date.

The token decides whose state is read and written; there is no way to act for another account with it. Importing this
package loads nothing but the manifest.
"""

from __future__ import annotations

from playhead.ports.backend import Capabilities, CodeSignIn, Limit, Manifest

manifest = Manifest(
    name="plex",
    title="Plex",
    settings="playhead.adapters.plex.settings:PlexSettings",
    backend="playhead.adapters.plex.adapter:PlexBackend",
    webhook="playhead.adapters.plex.webhook:read_webhook",
    proxied="playhead.adapters.plex.proxied:read_proxied",
    proxy="playhead.adapters.plex.proxy.nginx:PlexProxy",
    capabilities=Capabilities(
        reads=frozenset({"watched", "progress", "rating"}),
        writes=frozenset({"watched", "progress"}),
        takes_date=False,
        lean_lists=False,
        page_size=1000,
        writes_at_once=4,
        cheap_looks=True,
    ),
    limits=(
        Limit(
            "test_a_mark_carries_the_true_date",
            "theirs",
            "Plex's scrobble has no date parameter; the server stamps its own present.",
        ),
        Limit(
            "test_progress_on_a_watched_item_can_be_cleared_alone",
            "theirs",
            "Only a further scrobble (counts a play) or an unscrobble (forgets the plays) removes the position.",
        ),
        Limit("test_favourites_read_as_seeded", "never", "Plex keeps no favourites."),
    ),
    tested=("1.",),
    token_decides=True,
    by_code=CodeSignIn(
        flag="--sign-in",
        help="Sign in at plex.tv in any browser; it tells which servers there are and where.",
        made_by="playhead.adapters.plex.signing_in:PlexSignIn",
        finds_servers=True,
    ),
)
