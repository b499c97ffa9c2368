"""What Jellyfin and Emby truly share: the shapes both inherited from MediaBrowser and their translation.

Not a backend (no manifest). Holds values and pure functions, and the one rule of how a failed write becomes a receipt;
it must not know routes, headers or versions: those are each product's own.
"""
