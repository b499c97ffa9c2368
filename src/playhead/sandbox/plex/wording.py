"""What an emulated Plex says to people of its scans, in the server's language. Source: facts, predecessors.md (English).

Titles are for people: programs go by types. The German and French wordings, and that of an item's refresh, are *assumed*.
"""

from __future__ import annotations

_TEXTS = {
    "en": {
        "activity": "Scanning {}",
        "started": 'Scanning the "{}" section',
        "complete": "Library scan complete",
        "refresh": "Refreshing {}",
    },
    "de": {
        "activity": "{} wird durchsucht",
        "started": "Bereich „{}“ wird durchsucht",
        "complete": "Durchsuchen der Mediathek abgeschlossen",
        "refresh": "{} wird aktualisiert",
    },
    "fr": {
        "activity": "Analyse de {}",
        "started": "Analyse de la section « {} »",
        "complete": "Analyse de la bibliothèque terminée",
        "refresh": "Actualisation de {}",
    },
}


def say(language: str, what: str, name: str = "") -> str:
    """A title: ``activity``, ``started``, ``complete`` or ``refresh``."""
    return _TEXTS[language][what].format(name)


def check_language(language: str) -> None:
    """Raises ValueError naming the languages that there are."""
    if language not in _TEXTS:
        raise ValueError(f"an emulated Plex does not speak {language!r}; it speaks {', '.join(_TEXTS)}")
