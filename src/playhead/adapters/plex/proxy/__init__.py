"""The proxy before a Plex server: nginx's configuration and the deliverer. Made, not run, by Playhead."""
