"""An installation without its database: home, settings, tokens, and backends made from them.

Imports neither the store's engine nor a backend before one is asked for, so that small commands stay quick.
"""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from playhead.adapters import find_arr_manifests, find_manifests
from playhead.kit.address import normalise_url
from playhead.ports.arrivals import ArrManifest
from playhead.ports.backend import Backend, Manifest
from playhead.ports.errors import UsageError
from playhead.runtime.home import Home
from playhead.runtime.log import hide
from playhead.runtime.settings_file import SettingsFile, put_connection, put_people, put_schedule
from playhead.settings import (
    AccountSettings,
    ConnectionSettings,
    Login,
    Settings,
    same_login,
)
from playhead.store.refusals import Refusals
from playhead.store.secrets import SecretStore


class Installation:
    """What one home folder holds, without opening its database."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.settings_file = SettingsFile(home, find_manifests, list_sender_kinds)
        self.secrets = SecretStore(home.path)
        self.refusals = Refusals(home.refused)
        self.began = time.time()
        self.patient = False  # True: a hub that stays up, which asks rarely with a token that was refused

    @cached_property
    def settings(self) -> Settings:
        """The settings as they stood when first asked for."""
        return self.settings_file.load()

    def connection(self, name: str) -> tuple[str, ConnectionSettings]:
        """The connection of that name, upper and lower case alike. Raises UsageError naming those that exist."""
        for known, connection in self.settings.connections.items():
            if known.casefold() == name.strip().casefold():
                return known, connection
        names = ", ".join(self.settings.connections) or "none yet: playhead connect plex|jellyfin|emby"
        raise UsageError(f"There is no connection '{name}'.", hint=f"Connections: {names}.")

    def make_backend(
        self, connection: ConnectionSettings, *, token: str | None = None, login: Login | None = None
    ) -> Backend:
        """The backend of a connection's login, None = its own. ``token`` None resolves the reference. Raises UsageError,
        PlayheadError."""
        login = login or connection.logins()[0]
        secret = self.secrets.resolve(login.token) if token is None else token
        return make_backend(
            find_manifest(connection.kind),
            {"url": connection.url, **connection.options},
            secret,
            login.user_id,
            client_id=self.home.client_id(),
        )

    def save_connection(
        self, name: str, connection: ConnectionSettings, *, secret: str | None, replaces: str | None = None
    ) -> ConnectionSettings:
        """Save a checked connection; ``secret`` is kept encrypted, None = ``token`` already refers to one elsewhere.

        What ``replaces`` names is renamed to ``name`` and overwritten, its own token forgotten.
        """
        self.home.prepare()
        self.home.keep_client_id()
        old = self.settings.connections.get(replaces) if replaces else None
        if secret is not None:
            connection = msgspec.structs.replace(connection, token=self.secrets.keep(name, secret))
        try:
            self.settings_file.edit(lambda document: put_connection(document, name, connection, replaces))
        except BaseException:
            if secret is not None:
                self.secrets.drop(connection.token)
            raise
        if old is not None and old.token != connection.token:
            self.secrets.drop(old.token)
        if replaces and replaces != name:
            self.secrets.drop(name_webhook_secret(replaces))
        self.__dict__.pop("settings", None)
        return connection

    def remove_connection(self, name: str) -> None:
        """Take a connection out of the settings and forget its tokens; what was read stays in the database."""
        connection = self.settings.connections[name]
        self.settings_file.edit(lambda document: document["connections"].pop(name))
        for token in {login.token for login in connection.logins()}:
            self.secrets.drop(token)
        self.secrets.drop(name_webhook_secret(name))
        self.__dict__.pop("settings", None)

    def add_account(self, name: str, account: AccountSettings, *, secret: str | None) -> None:
        """Add a further login to a connection, or put it in the place of its own entry; ``secret`` is kept encrypted, None =
        ``token`` refers to one elsewhere, or the connection's own serves it."""
        if secret is not None:
            account = msgspec.structs.replace(
                account, token=self.secrets.keep(f"{name} {account.user}", secret)
            )
        try:
            self._put_accounts(name, account.user_id, account.person if account.shared else None, account)
        except BaseException:
            if secret is not None and account.token:
                self.secrets.drop(account.token)
            raise

    def remove_account(self, name: str, login: Login) -> None:
        """Take a further login out of a connection and forget its token, of a shared one one person's part; the connection's own
        becomes nobody's."""
        if login.place is None:
            self.give_own_login(name, "")
        else:
            self._put_accounts(name, login.user_id, login.person if login.shared else None, None)

    def give_own_login(self, name: str, person: str) -> None:
        """Say whose the connection's own login is; "" = nobody's."""
        connection = msgspec.structs.replace(self.settings.connections[name], person=person)
        self.save_connection(name, connection, secret=None, replaces=name)

    def save_people(self, names: Sequence[str]) -> None:
        """Keep the names of those who are known without a login."""
        self.settings_file.edit(lambda document: put_people(document, names))
        self.__dict__.pop("settings", None)

    def save_schedule(self, *, full: str | None, at_start: bool | None) -> None:
        """Say when everything is read, and whether ``serve`` syncs when it starts; None = as it is. Raises UsageError."""
        told = {"full": full, "at_start": at_start}
        given = {key: value for key, value in told.items() if value is not None}
        if given:
            self.settings_file.edit(lambda document: put_schedule(document, given))
            self.__dict__.pop("settings", None)

    def _put_accounts(
        self, name: str, user_id: str, person: str | None, account: AccountSettings | None
    ) -> None:
        """In the place of the login's entries, or of one ``person``'s part of a shared one."""
        connection = self.settings.connections[name]
        dropped = [
            each
            for each in connection.accounts
            if same_login(each.user_id, user_id)
            and (person is None or not each.shared or each.person.casefold() == person.casefold())
        ]
        kept = [each for each in connection.accounts if each not in dropped]
        changed = msgspec.structs.replace(connection, accounts=[*kept, *([account] if account else [])])
        self.save_connection(name, changed, secret=None, replaces=name)
        still = {login.token for login in changed.logins()}
        for each in dropped:
            if each.token and each.token not in still:
                self.secrets.drop(each.token)


def list_sender_kinds() -> list[str]:
    """The programs that can be asked which files arrived."""
    return [name for name, manifest in find_arr_manifests().items() if manifest.net is not None]


def name_webhook_secret(connection: str) -> str:
    """The reference to the secret in the address to which a connection's server posts."""
    return f"store:webhook:{connection}"


def find_manifest(kind: str) -> Manifest:
    """The backend of that name. Raises UsageError naming those that exist."""
    manifests = find_manifests()
    if kind not in manifests:
        raise UsageError(f"Playhead knows no backend '{kind}'.", hint=f"It knows: {', '.join(manifests)}.")
    return manifests[kind]


def load_named(path: str) -> Any:
    """What a manifest names as ``module:Name``."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def example_of(manifest: Manifest | ArrManifest, setting: str) -> str:
    """The example that a backend gives for one of its settings; empty where it gives none."""
    fields = msgspec.structs.fields(load_named(manifest.settings)) if manifest.settings else ()
    for field in fields:
        for meta in getattr(field.type, "__metadata__", ()):
            if field.name == setting and isinstance(meta, msgspec.Meta) and meta.extra:
                return str(meta.extra.get("example", ""))
    return ""


def read_url(manifest: Manifest | ArrManifest, text: str) -> str:
    """An address as typed, in one form; the backend's usual port where neither scheme nor port was given."""
    port = re.search(r":(\d+)$", example_of(manifest, "url"))
    return normalise_url(text, default_port=int(port[1]) if port else None)


def check_options(manifest: Manifest, url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """A backend's own settings in their right types, defaults left out. Raises UsageError where one is wrong."""
    struct = load_named(manifest.settings)
    checked = convert_options(manifest, {"url": url, **options}, strict=False)
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    plain = msgspec.to_builtins(checked)
    return {key: plain[key] for key in options if plain[key] != fields[key].default}


def convert_options(manifest: Manifest, options: Mapping[str, Any], *, strict: bool) -> Any:
    """A backend's settings as its own struct. Raises UsageError where one is wrong."""
    try:
        return msgspec.convert(dict(options), load_named(manifest.settings), strict=strict)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"The settings for {manifest.title} are wrong: {error}.",
            hint=f"See: playhead connect {manifest.name} --help",
        ) from error


def make_backend(
    manifest: Manifest, options: Mapping[str, Any], token: str, user_id: str, *, client_id: str
) -> Backend:
    """A backend from plain settings. Raises UsageError where a setting is wrong."""
    hide(token)
    settings = convert_options(manifest, options, strict=True)
    backend: Backend = load_named(manifest.backend)(settings, token, user_id, client_id=client_id)
    return backend
