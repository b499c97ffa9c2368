"""Wrappers: each takes a backend and is a backend, so that what cuts across all of them is no flag passed through."""
