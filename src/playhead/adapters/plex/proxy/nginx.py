"""Writes the nginx configuration of a proxy, and refuses what would mean something else in one.

Pure but for reading its own templates. That no mirror is used, and why a log is the spool: docs/decisions/0009-the-proxy.md.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playhead.ports.errors import UsageError
from playhead.ports.proxy import ProxyWish

from . import deliver as deliverer

HTTP2_DIRECTIVE_SINCE = (1, 25, 1)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_SERVER_NAME = re.compile(r"_|(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?")
_PLACE = re.compile(r"(?:(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+|\*):)?(?P<port>\d{1,5})")
_RESOLVER = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?")
_USER = re.compile(r"[a-z_][a-z0-9_-]*")
_UNFIT = re.compile(r"[\x00-\x1f\x7f\"'\\;{}$]")


class PlexProxy:
    """A ``ports.proxy.Proxy``."""

    def write_nginx(self, wish: ProxyWish) -> str:
        """The configuration. Raises UsageError."""
        return _render("nginx.conf.j2", _read_wish(wish))

    def write_companions(self, wish: ProxyWish, folder: str, runs_as: str) -> Mapping[str, str]:
        """The deliverer, its service, what to do, by file name. Raises UsageError."""
        values = {
            "folder": _path(folder, "folder"),
            "spool": _path(wish.spool, "spool"),
            "user": _match(_USER, runs_as, "user", "the name of an account"),
            "label": wish.name,
            "complete": bool(wish.complete_in),
        }
        return {
            "deliver.py": self.read_script(),
            "playhead-proxy.service": _render("service.j2", values),
            "README.md": _render("folder.md.j2", values),
        }

    def read_script(self) -> str:
        """The deliverer's source."""
        return Path(deliverer.__file__).read_text(encoding="utf-8")

    def find_url(self, given: str | None, file: str | None) -> str:
        """The address to deliver to. Raises ValueError."""
        return deliverer.find_url(given, Path(file) if file else None)

    def deliver(self, spool: str, url: str, *, keep_mb: int, once: bool) -> None:
        """Follow a spool. Raises ValueError, BlockingIOError."""
        deliverer.deliver(Path(spool), url, keep_mb=keep_mb, once=once)


def _render(template: str, values: Mapping[str, Any]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # not for the deliverer, which stays up

    environment = Environment(
        loader=PackageLoader(__package__ or "", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # no HTML; what goes in was looked at
    )
    return environment.get_template(template).render(values)


def _read_wish(wish: ProxyWish) -> dict[str, Any]:
    """The template's values, each looked at."""
    scheme, host, authority = _read_upstream(wish.upstream_url)
    by_name = _is_name(host)
    tls = bool(wish.certificate and wish.certificate_key)
    folder = _path(wish.complete_in, "folder") if wish.complete_in else ""
    return {
        "name": "playhead_" + re.sub(r"[^a-z0-9]+", "_", wish.name.lower()).strip("_"),
        "upstream": f"{scheme}://{authority}",
        "scheme": scheme,
        "host": host,
        "authority": authority,
        "upstream_tls": scheme == "https",
        "upstream_ca": _path(wish.upstream_ca, "upstream certificate") if wish.upstream_ca else "",
        "by_resolver": by_name and bool(wish.resolvers),
        "resolvers": [
            _match(_RESOLVER, each, "resolver", "an address such as 10.0.0.1") for each in wish.resolvers
        ],
        "listen": [_read_place(each) for each in wish.listen],
        "server_names": [_read_server_name(each) for each in wish.server_names] or ["_"],
        "tls": tls,
        "certificate": _path(wish.certificate, "certificate") if wish.certificate else "",
        "certificate_key": _path(wish.certificate_key, "certificate's key") if wish.certificate_key else "",
        "http2_in_listen": not wish.nginx_version or wish.nginx_version < HTTP2_DIRECTIVE_SINCE,
        "spool": _path(wish.spool, "spool"),
        "complete": bool(folder),
        "folder": folder,
        "user": _match(_USER, wish.user, "user", "the name of an account") if wish.user else "",
        "group": _match(_USER, wish.group, "group", "the name of a group") if wish.group else "",
        "error_log": f'"{folder}/error.log"' if folder else "stderr",
    }


def _read_upstream(url: str) -> tuple[str, str, str]:
    """Scheme, bare host, and host with port, of an address without a path."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        port = 0
    host = parts.hostname or ""
    fits = bool(_HOST.fullmatch(host)) or (":" in host and not _is_name(host))
    if parts.scheme not in ("http", "https") or not fits or not port or parts.path.strip("/") or parts.query:
        raise UsageError(
            f"'{url}' is not the address of a Plex server.", hint="Give one such as https://10.0.0.5:32400"
        )
    shown = f"[{host}]" if ":" in host else host
    return parts.scheme, shown, f"{shown}:{port}"


def _is_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return True
    return False


def _read_place(text: str) -> str:
    place = _match(_PLACE, text.strip(), "place to listen", "a port, or ADDRESS:PORT")
    if not 0 < int(place.rpartition(":")[2]) < 65536:
        raise UsageError(f"'{text}' names a port that cannot be.", hint="Ports go from 1 to 65535.")
    return place


def _read_server_name(text: str) -> str:
    """Without the port that Plex Cluster's users had to write."""
    name = _match(_SERVER_NAME, text.strip(), "server name", "a name such as plex.example.org")
    return name.partition(":")[0]


def _match(pattern: re.Pattern[str], text: str, what: str, allowed: str) -> str:
    if not pattern.fullmatch(text):
        raise UsageError(f"'{text}' cannot be a {what}.", hint=f"Give {allowed}.")
    return text


def _path(text: str, what: str) -> str:
    if not text.startswith("/") or _UNFIT.search(text):
        raise UsageError(
            f"The {what} '{text}' cannot stand in nginx's configuration.",
            hint="Choose a whole path without quotes, semicolons, braces, dollar signs and backslashes.",
        )
    return text
