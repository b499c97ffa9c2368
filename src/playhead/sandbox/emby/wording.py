"""What an emulated Emby says to people in its webhooks, in the server's language. Programs go by events.

The English titles are recorded (truth/webhooks/emby), the others *assumed*.
"""

from __future__ import annotations

_TITLES = {
    "en": {
        "playback.start": "{user} has started playing {item}",
        "playback.pause": "{user} has paused {item}",
        "playback.unpause": "{user} has resumed {item}",
        "playback.stop": "{user} has finished playing {item}",
        "item.markplayed": "{user} marked {item} as played",
        "item.markunplayed": "{user} marked {item} as unplayed",
        "item.rate": "{user} rated {item}",
        "library.new": "New {item} on {server}",
        "library.deleted": "{item} removed from {server}",
    },
    "de": {
        "playback.start": "{user} hat die Wiedergabe von {item} gestartet",
        "playback.pause": "{user} hat {item} angehalten",
        "playback.unpause": "{user} hat {item} fortgesetzt",
        "playback.stop": "{user} hat die Wiedergabe von {item} beendet",
        "item.markplayed": "{user} hat {item} als gesehen markiert",
        "item.markunplayed": "{user} hat {item} als ungesehen markiert",
        "item.rate": "{user} hat {item} bewertet",
        "library.new": "Neu auf {server}: {item}",
        "library.deleted": "{item} wurde von {server} entfernt",
    },
    "fr": {
        "playback.start": "{user} a commencé la lecture de {item}",
        "playback.pause": "{user} a mis {item} en pause",
        "playback.unpause": "{user} a repris {item}",
        "playback.stop": "{user} a terminé la lecture de {item}",
        "item.markplayed": "{user} a marqué {item} comme lu",
        "item.markunplayed": "{user} a marqué {item} comme non lu",
        "item.rate": "{user} a noté {item}",
        "library.new": "Nouveau sur {server} : {item}",
        "library.deleted": "{item} a été retiré de {server}",
    },
}


def title(language: str, event: str, *, user: str, item: str, server: str) -> str:
    """The title of a webhook."""
    return _TITLES[language][event].format(user=user, item=item, server=server)


def check_language(language: str) -> None:
    """Raises ValueError naming the languages that there are."""
    if language not in _TITLES:
        raise ValueError(f"an emulated Emby does not speak {language!r}; it speaks {', '.join(_TITLES)}")
