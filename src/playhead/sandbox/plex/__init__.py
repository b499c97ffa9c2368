"""An emulated Plex Media Server and the part of plex.tv that clients need. Source of every behaviour: facts, api-plex.md."""
