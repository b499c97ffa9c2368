"""An emulated Jellyfin server, 10.8 to 12.0. It shares nothing with the adapter, so that the two cannot share a mistake."""
