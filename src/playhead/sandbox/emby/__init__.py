"""An emulated Emby Server, 4.8 and 4.9 behaviour. Knows nothing of Playhead's adapter for it."""
