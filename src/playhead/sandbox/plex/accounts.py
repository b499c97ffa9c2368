"""The logins of an emulated Plex: the owner is account 1, everybody else has the id that plex.tv knows.

Tokens and ids are made from names, so that they are the same on every start. One name is one person on plex.tv.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from playhead.sandbox.plex.catalogue import Node, Section
from playhead.sandbox.plex.guids import make_hex
from playhead.sandbox.world import WorldServer, WorldUser

OWNER = 1


@dataclass(frozen=True)
class Account:
    """A login: ``id`` on this server, ``plextv_id`` on plex.tv, ``token`` for this server, ``pin`` in the Home."""

    id: int
    plextv_id: int
    name: str
    token: str
    libraries: frozenset[str] | None
    pin: str = ""

    @property
    def owner(self) -> bool:
        return self.id == OWNER

    @property
    def uuid(self) -> str:
        return make_hex("uuid", self.plextv_id, length=16)

    def may_see(self, place: Section | Node) -> bool:
        """Whether the section, or the one an item is in, is shared with this account."""
        section = place if isinstance(place, Section) else place.section
        return self.libraries is None or section.title in self.libraries


def make_plextv_id(user: WorldUser) -> int:
    """The id on plex.tv: the world's if it is a number, else made from the name."""
    if user.id and user.id.isdigit() and int(user.id) != OWNER:
        return int(user.id)
    return 10_000_000 + int(make_hex("person", user.name, length=6), 16)


def make_plextv_token(name: str) -> str:
    """A person's token for plex.tv itself."""
    return make_hex("plex.tv", name, length=20)


def make_accounts(spec: WorldServer) -> list[Account]:
    """The server's logins; the first user is the owner, whose token is that of plex.tv (unless the world says one)."""
    users = spec.users or [WorldUser(name="owner")]
    accounts = []
    for place, user in enumerate(users):
        plextv_id = make_plextv_id(user)
        made = make_plextv_token(user.name) if place == 0 else make_hex(spec.name, user.name, length=20)
        libraries = None if user.libraries is None or place == 0 else frozenset(user.libraries)
        accounts.append(
            Account(
                OWNER if place == 0 else plextv_id,
                plextv_id,
                user.name,
                user.token or made,
                libraries,
                user.pin,
            )
        )
    if len({account.name for account in accounts}) < len(accounts):
        raise ValueError(f"{spec.name}: two users have the same name")
    return accounts


def recreate_account(account: Account) -> Account:
    """The same name anew, as a managed user who was deleted and made again: other ids, another token."""
    plextv_id = account.plextv_id + 1
    return Account(
        plextv_id, plextv_id, account.name, make_hex(account.token, "again", length=20), account.libraries
    )


def renew_token(account: Account) -> Account:
    """The same login with another token: the one it had is refused from now on."""
    return replace(account, token=make_hex(account.token, "renewed", length=20))


def find_account(accounts: list[Account], user: str) -> Account:
    """By name, account id or plex.tv id. Raises KeyError naming those that exist."""
    for account in accounts:
        if user in (account.name, str(account.id), str(account.plextv_id)):
            return account
    raise KeyError(f"no user {user!r}; there are: {', '.join(account.name for account in accounts)}")
