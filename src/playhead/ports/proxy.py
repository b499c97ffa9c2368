"""What an adapter promises whose server a proxy can stand before: a configuration, and what carries the proxy's notes to the hub.

The proxy notes requests that change watch state once the server has answered them, on its own disk; no client waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec


class ProxyWish(msgspec.Struct, frozen=True, kw_only=True):
    """How a proxy is wanted. ``name`` keeps several in one nginx apart; ``listen`` are ports or ADDRESS:PORT.

    Files and folders are whole paths, "" = none. ``complete_in`` is the folder of a configuration that stands alone, ""
    = one to be included; ``user`` and ``group`` are who runs such an nginx when root starts it. ``nginx_version`` () = not known.
    """

    name: str
    upstream_url: str
    listen: tuple[str, ...]
    server_names: tuple[str, ...]
    spool: str
    certificate: str = ""
    certificate_key: str = ""
    resolvers: tuple[str, ...] = ()
    upstream_ca: str = ""
    complete_in: str = ""
    user: str = ""
    group: str = ""
    nginx_version: tuple[int, ...] = ()


class Proxy(Protocol):
    """An adapter's ``proxy``: made without arguments."""

    def write_nginx(self, wish: ProxyWish) -> str:
        """The nginx configuration. Raises UsageError for what cannot stand in one."""
        ...

    def write_companions(self, wish: ProxyWish, folder: str, runs_as: str) -> Mapping[str, str]:
        """What stands beside the configuration in a folder, by file name: the deliverer, its service run by an account, what to
        do."""
        ...

    def read_script(self) -> str:
        """The deliverer's source: one file that needs nothing but Python."""
        ...

    def find_url(self, given: str | None, file: str | None) -> str:
        """The address to deliver to: as given, in a file, else in the environment. Raises ValueError."""
        ...

    def deliver(self, spool: str, url: str, *, keep_mb: int, once: bool) -> None:
        """Follow a spool and post what is in it. Raises ValueError for no address, BlockingIOError where another one does."""
        ...
