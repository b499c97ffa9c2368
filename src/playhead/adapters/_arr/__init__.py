"""What Sonarr, Radarr, Lidarr and Readarr truly share: their posts, history, routes and words.

Not a backend (no manifest). What one of them calls a thing stands in ``products``.
"""
