"""Which logins of several servers seem to be one person's: proposals that a person confirms, and questions.

Names, mail addresses and Plex ids must be exactly the same, upper and lower case alike; nothing is guessed. Links nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from playhead.ports.backend import RemoteUser
from playhead.ports.errors import NotFound, UsageError


class Place(msgspec.Struct, frozen=True):
    """A login that exists on a connection's server; ``person`` is whose it is, None = nobody's yet."""

    connection: str
    kind: str
    server_id: str
    user: RemoteUser
    person: str | None = None

    @property
    def server(self) -> tuple[str, str]:
        return self.kind, self.server_id


class Proposal(msgspec.Struct, frozen=True):
    """Logins that seem to be one person's. ``known``: the person exists already."""

    person: str
    places: tuple[Place, ...]
    why: str
    known: bool


class Doubt(msgspec.Struct, frozen=True):
    """A login that could be somebody's, and why nobody but a person can tell; ``persons`` are those it fits."""

    place: Place
    persons: tuple[str, ...]
    why: str


class Proposals(msgspec.Struct, frozen=True):
    """``alone`` are logins that fit nobody and nothing else."""

    sure: tuple[Proposal, ...]
    doubts: tuple[Doubt, ...]
    alone: tuple[Place, ...]


Key = tuple[str, str]
_WORDS = {"name": "name", "mail": "mail address", "plex": "Plex account"}


def propose(places: Sequence[Place], persons: Iterable[str]) -> Proposals:
    """Group the logins that belong to nobody. ``places`` are all logins, each once for each server."""
    faces = _Faces(places, persons)
    sure: dict[str, list[Place]] = defaultdict(list)
    doubts: list[Doubt] = []
    rest: list[Place] = []
    for place in places:
        if place.person is not None:
            continue
        fits = faces.find(place)
        if not fits:
            rest.append(place)
        elif why := faces.object_to(place, fits):
            doubts.append(Doubt(place, tuple(fits), why))
        else:
            sure[fits[0]].append(place)
    proposals = []
    for person, own in sure.items():
        if why := _contradiction(own):
            doubts += [Doubt(place, (person,), why) for place in own]
        else:
            proposals.append(Proposal(person, tuple(own), _say_why(own, faces.keys[person]), known=True))
    groups, more, alone = _group_strangers(rest)
    return Proposals((*proposals, *groups), (*doubts, *more), tuple(alone))


def _keys(user: RemoteUser) -> frozenset[Key]:
    keys = {("name", user.name.strip().casefold())} if user.named else set[Key]()
    for mail in (user.mail, user.name if "@" in user.name else None):
        if mail:
            keys.add(("mail", mail.strip().casefold()))
    if user.world_id:
        keys.add(("plex", user.world_id))
    return frozenset(keys)


class _Faces:
    """By what known persons can be known: their name, and what their logins are called."""

    def __init__(self, places: Sequence[Place], persons: Iterable[str]) -> None:
        self.keys: dict[str, set[Key]] = {}
        self._own: dict[str, list[Place]] = defaultdict(list)
        for person in persons:
            self.keys[person] = {("name", person.casefold())}
        for place in places:
            if place.person is not None:
                self.keys.setdefault(place.person, {("name", place.person.casefold())}).update(
                    _keys(place.user)
                )
                self._own[place.person].append(place)

    def find(self, place: Place) -> list[str]:
        """The persons that share anything with the login."""
        own = _keys(place.user)
        return [person for person, keys in self.keys.items() if own & keys]

    def object_to(self, place: Place, fits: Sequence[str]) -> str:
        """Why the login is not surely the person's that it fits; empty where it is."""
        if len(fits) > 1:
            return "fits " + " and ".join(fits)
        return _contradiction([*self._own[fits[0]], place], about=place)


def _contradiction(places: Sequence[Place], about: Place | None = None) -> str:
    """Why these logins are not surely one person's; empty where nothing speaks against it. ``about`` is the one that was
    added: what the others have been linked to on purpose is not questioned."""
    others = [place for place in places if place is not about]
    pairs = [(about, other) for other in others] if about else []
    pairs += [(one, other) for n, one in enumerate(others) for other in others[:n]] if about is None else []
    for one, other in pairs:
        if one.server == other.server:
            return f"'{one.user.name}' and '{other.user.name}' are two logins on {one.connection}"
        for what, ours, theirs in (
            ("Plex accounts", one.user.world_id, other.user.world_id),
            ("mail addresses", one.user.mail, other.user.mail),
        ):
            if ours and theirs and ours.casefold() != theirs.casefold():
                return f"'{one.user.name}' has different {what} on {other.connection} and {one.connection}"
    return ""


def _group_strangers(rest: Sequence[Place]) -> tuple[list[Proposal], list[Doubt], list[Place]]:
    """Those that fit no known person, among themselves."""
    proposals: list[Proposal] = []
    doubts: list[Doubt] = []
    alone: list[Place] = []
    for own in _join(rest):
        why = _contradiction(own)
        if len(own) == 1:
            alone += own
        elif why:
            doubts += [Doubt(place, (), why) for place in own]
        else:
            proposals.append(Proposal(_pick_name(own), tuple(own), _say_why(own, set()), known=False))
    return proposals, doubts, alone


def _join(places: Sequence[Place]) -> list[list[Place]]:
    """Logins that share a key, also by way of others."""
    groups: list[tuple[set[Key], list[Place]]] = []
    for place in places:
        keys, own = set(_keys(place.user)), [place]
        apart = []
        for group in groups:
            if group[0] & keys:
                keys |= group[0]
                own = [*group[1], *own]
            else:
                apart.append(group)
        groups = [*apart, (keys, own)]
    return [own for _, own in groups]


def _pick_name(places: Sequence[Place]) -> str:
    """The name that most of the logins have; the first of those that are equally frequent. A mail address is the last."""
    names = [place.user.name.strip() for place in places]
    counts = {name: sum(name.casefold() == other.casefold() for other in names) for name in names}
    return max(names, key=lambda name: ("@" not in name, counts[name]))


def _say_why(places: Sequence[Place], keys: set[Key]) -> str:
    """What the logins have in common, with each other or with a person's."""
    own = [_keys(place.user) for place in places]
    shared = {
        key[0] for n, one in enumerate(own) for key in one if key in keys or any(key in o for o in own[:n])
    }
    return "same " + " and ".join(_WORDS[what] for what in _WORDS if what in shared)


def find_user(users: Sequence[RemoteUser], wanted: str, connection: str) -> RemoteUser:
    """The login that a person means, by native id or name. Raises NotFound naming those that exist, UsageError where a name
    fits several."""
    key = wanted.strip().casefold()
    found = [user for user in users if _plain(user.id) == _plain(wanted)]
    found = found or [user for user in users if user.name.casefold() == key]
    found = found or [user for user in users if user.mail and user.mail.casefold() == key]
    if not found:
        names = ", ".join(sorted(user.name for user in users)) or "none that its token may see"
        raise NotFound(f"'{connection}' has no login '{wanted}'.", hint=f"Logins there: {names}.")
    if len(found) > 1:
        ids = ", ".join(user.id for user in found)
        raise UsageError(
            f"Several logins on '{connection}' are called '{wanted}'.", hint=f"Give its id: {ids}."
        )
    return found[0]


def _plain(id: str) -> str:
    return id.strip().replace("-", "").casefold()


def refuse_second_login(
    person: str, linked: Mapping[tuple[str, str], str], user: RemoteUser, connection: str
) -> None:
    """A person has one login on a server unless a second one is named on purpose. ``linked``: who has which login (connection,
    native id) of that server. Raises UsageError."""
    for (of, user_id), owner in linked.items():
        if owner.casefold() == person.casefold() and _plain(user_id) != _plain(user.id):
            raise UsageError(
                f"{person} has a login on the server of '{connection}' already, on '{of}'.",
                hint="Take that one out first: playhead people unlink; or give --also to have both.",
            )
