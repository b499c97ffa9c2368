"""What a post of Sonarr, Radarr, Lidarr or Readarr says: which files arrived, gave way or went. Pure.

A file is folder and relative path. One import may be posted twice, as each file and as the whole (Import Complete): the keys of
the files say so. Source: facts, library-updates-and-links.md 0 and 1.5, and recorded posts.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from playhead.adapters._arr.paths import is_absolute, is_below, place_file, trim_folder
from playhead.adapters._arr.products import PRODUCTS, Product
from playhead.adapters._arr.wire import File, Holder, Post
from playhead.domain.identity.claims import make_claim
from playhead.kit.posted import LARGEST_BODY, decode_posted, refuse
from playhead.ports.arrivals import Arrival, ArrivalPost, What

_POST = msgspec.json.Decoder(Post, strict=False)

UPGRADE = "upgrade"
MISSING = frozenset({"missingfromdisk", "nolinkedepisodes"})
"""Reasons of a deletion that nobody wished."""

# Kinds that move no file in a library.
_SILENT = frozenset(
    [
        "grab",
        "health",
        "healthrestored",
        "applicationupdate",
        "manualinteractionrequired",
        "seriesadd",
        "movieadded",
        "artistadd",
        "authoradd",
        "authoradded",
        "downloadfailure",
        "importfailure",
        "test",
    ]
)


def read_post(body: bytes, product: Product) -> ArrivalPost:
    """One post of a product. Raises BadAnswer where it is none of its posts."""
    if len(body) > LARGEST_BODY:  # the rename of a long series has thousands of files
        raise refuse(product.title, f"it has {len(body):,} bytes")
    post = decode_posted(_POST, body.removeprefix(b"\xef\xbb\xbf"), product.title)
    _check_sender(post, product)
    kind = post.eventType.lower()
    instance = post.instanceName or ""
    if kind in _SILENT:
        return ArrivalPost(post.eventType, test=kind == "test", instance=instance)
    read = _READERS.get(kind)
    if read is None:
        return ArrivalPost(post.eventType, known=False, instance=instance)
    holder = getattr(post, product.holder) or Holder()
    telling = Telling(product, post, holder)
    return ArrivalPost(post.eventType, tuple(read(telling)), instance=instance)


def _check_sender(post: Post, product: Product) -> None:
    if getattr(post, product.holder) is not None:
        return
    for other in PRODUCTS:
        if getattr(post, other.holder) is not None:
            raise refuse(product.title, f"it is one of {other.title}")


class Telling:
    """One post with what stands around its files."""

    def __init__(self, product: Product, post: Post, holder: Holder) -> None:
        self.product = product
        self.post = post
        self.folder = trim_folder(holder.folderPath or holder.path or "")
        self.title = holder.title or holder.name or ""
        self._holder = holder

    def tell(
        self,
        what: What,
        file: File | None = None,
        *,
        before: tuple[str, ...] = (),
        of_episodes: bool = False,
        half: bool = False,
        missing: bool = False,
    ) -> list[Arrival]:
        """Of one file, or of the whole folder; nothing where neither is known."""
        path = self.place(file) if file else None
        path = path or self.folder
        if not path:
            return []
        number = file.id if file is not None else None
        return [
            Arrival(
                what,
                (path,),
                self.folder,
                self.title,
                self.product.source,
                self.post.eventType,
                claims=self.claims(of_episodes=of_episodes),
                half=half,
                key=make_key(self.product.source, what, number, path, *before if what == "renamed" else ()),
                before=tuple(each for each in before if each != path),
                missing=missing,
            )
        ]

    def place(self, file: File) -> str | None:
        return place_file(self.folder, file.relativePath, file.path)

    def place_before(self, file: File) -> str | None:
        return place_file(self.folder, file.previousRelativePath, file.previousPath)

    def claims(self, *, of_episodes: bool) -> tuple[str, ...]:
        """Of the show or movie, and of the post's episodes."""
        kind, holder = self.product.claims_kind, self._holder
        if kind is None:
            return ()
        ids = {"tvdb": holder.tvdbId, "tvmaze": holder.tvMazeId, "tmdb": holder.tmdbId, "imdb": holder.imdbId}
        found = {make_claim(source, kind, value) for source, value in ids.items()}
        if of_episodes and kind == "show":
            found |= {make_claim("tvdb", "episode", each.tvdbId) for each in self.post.episodes or ()}
        return tuple(sorted(claim for claim in found if claim))


def make_key(source: str, what: What, number: object, path: str, *before: str) -> str:
    """The same for one and the same thing, whoever tells it. An upgrade is an arrival, too: the second post of an import does
    not tell; and only of what arrived do all tell the number."""
    if what in ("arrived", "upgraded"):
        return "|".join((source, "arrived", "" if number is None else str(number), path))
    return "|".join((source, what, path, *before))


def _read_import(telling: Telling) -> list[Arrival]:
    """One file, or all files of an import."""
    post = telling.post
    single = post.episodeFile or post.movieFile or post.trackFile  # the last of Lidarr before April 2018
    files = [single] if single else post.episodeFiles or post.trackFiles or post.bookFiles or []
    gone = post.deletedFiles if isinstance(post.deletedFiles, list) else []
    before = tuple(path for file in gone if (path := telling.place(file)))
    what: What = "upgraded" if post.isUpgrade else "arrived"
    if not files:
        return _read_destination(telling, what)
    told = []
    for file in files:
        told += telling.tell(what, file, before=before, of_episodes=len(files) == 1)
        before = ()
    return told


def _read_destination(telling: Telling, what: What) -> list[Arrival]:
    """An import that names no file: the folder into which it went."""
    path = telling.post.destinationPath
    if path and is_absolute(path) and telling.folder and is_below(path, telling.folder):
        return telling.tell(what, File(path=path))
    return telling.tell(what)


def _read_rename(telling: Telling) -> list[Arrival]:
    """Each file with its old name; the first versions named none."""
    post = telling.post
    files = (
        post.renamedEpisodeFiles
        or post.renamedMovieFiles
        or post.renamedTrackFiles
        or post.renamedBookFiles
        or []
    )
    if not files:
        return telling.tell("renamed")
    told = []
    for file in files:
        old = telling.place_before(file)
        told += telling.tell("renamed", file, before=(old,) if old else ())
    return told


def _read_file_delete(telling: Telling) -> list[Arrival]:
    post = telling.post
    reason = (post.deleteReason or "").lower()
    file = post.episodeFile or post.movieFile or post.trackFile or post.bookFile
    unnamed = file is None or telling.place(file) is None
    return telling.tell(
        "deleted", file, of_episodes=True, half=reason == UPGRADE, missing=reason in MISSING or unnamed
    )


def _read_holder_delete(telling: Telling) -> list[Arrival]:
    """The whole folder, where its files were deleted as well."""
    return telling.tell("deleted") if telling.post.deletedFiles is True else []


def _read_part_delete(telling: Telling) -> list[Arrival]:
    """An album or a book, of which no file is named: something in the folder is gone."""
    return telling.tell("deleted", missing=True) if telling.post.deletedFiles is True else []


def _read_retag(telling: Telling) -> list[Arrival]:
    """A file with other tags is another file of the same name."""
    file = telling.post.trackFile or telling.post.bookFile
    return telling.tell("upgraded", file)


_READERS: dict[str, Callable[[Telling], list[Arrival]]] = {
    "download": _read_import,
    "rename": _read_rename,
    "episodefiledelete": _read_file_delete,
    "moviefiledelete": _read_file_delete,
    "trackfiledelete": _read_file_delete,
    "bookfiledelete": _read_file_delete,
    "seriesdelete": _read_holder_delete,
    "moviedelete": _read_holder_delete,
    "artistdelete": _read_holder_delete,
    "authordelete": _read_holder_delete,
    "albumdelete": _read_part_delete,
    "bookdelete": _read_part_delete,
    "retag": _read_retag,
}
