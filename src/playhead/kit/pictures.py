"""Pictures of items, fetched from their server with its own token; nothing but a picture of modest size is taken."""

from __future__ import annotations

from playhead.kit.http import Http, Params
from playhead.ports.errors import BadAnswer, NotFound
from playhead.ports.notices import Picture

POSTER_WIDTH = 240
LARGEST = 3_000_000


def is_own_path(path: str) -> bool:
    """Whether it is a path on the server itself, and no other address."""
    return path.startswith("/") and not path.startswith("//")


async def fetch_picture(http: Http, path: str, params: Params | None = None) -> Picture | None:
    """The picture at a path of the server; None where there is none. Raises BackendError, BadAnswer for what is none."""
    if not is_own_path(path):
        return None
    try:
        answer = await http.read(path, params, expect="any", attempts=1)
    except NotFound:
        return None
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not answer.body:
        return None
    if kind not in ("image/jpeg", "image/png", "image/webp", "image/gif") or len(answer.body) > LARGEST:
        raise BadAnswer(f"{http.title} sent no picture for {path}.", hint="It is left out.")
    return Picture("", kind, answer.body)
