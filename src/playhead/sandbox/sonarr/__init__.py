"""An emulated Sonarr, API v3."""
