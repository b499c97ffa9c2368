"""An emulated Radarr, API v3."""
