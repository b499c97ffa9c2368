"""A proxy before a connection's server: what is wanted of it, and the files of a folder that holds all it needs."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import subprocess
import zlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from playhead.adapters import find_manifests
from playhead.kit.address import normalise_url
from playhead.kit.files import write_atomically
from playhead.ports.errors import PlayheadError, UsageError
from playhead.ports.proxy import Proxy, ProxyWish
from playhead.wiring.installation import Installation, find_manifest, load_named
from playhead.wiring.webhooks import find_base_url, list_addresses

URL_FILE = "hub.url"
CONFIGURATION = "nginx.conf"
LONGEST_NAME = 24  # nginx's table of variables takes names of 46 letters, ours added
_WORKERS = ("www-data", "nginx", "nobody")
_SYSTEM_PLACES = "/usr/sbin:/usr/local/sbin:/usr/local/bin"


def load_proxy(kind: str) -> Proxy:
    """The proxy of a backend. Raises UsageError where none can stand before it."""
    manifest = find_manifest(kind)
    if manifest.proxy is None:
        raise UsageError(
            f"There is no proxy for {manifest.title}.",
            hint="Its socket and its webhooks tell everything: playhead webhooks register",
        )
    proxy: Proxy = load_named(manifest.proxy)()
    return proxy


def load_any_proxy() -> Proxy:
    """A proxy of any backend: what carries its notes to the hub is the same for all."""
    return load_proxy(next(name for name, manifest in find_manifests().items() if manifest.proxy))


def name_spool(connection: str) -> str:
    """A connection's name as it stands in names of files and of nginx's variables: short, plain, and of no other connection."""
    plain = re.sub(r"[^a-z0-9]+", "-", connection.lower()).strip("-")
    if len(plain) <= LONGEST_NAME and re.fullmatch(r"[a-z0-9]+([ -][a-z0-9]+)*", connection.lower()):
        return plain
    return f"{plain[: LONGEST_NAME - 9]}-{zlib.crc32(connection.casefold().encode()):08x}".strip("-")


def find_plex_url(installation: Installation, name: str, given: str | None) -> str:
    """Where the server itself answers: as given, else as connected. Raises UsageError where that is the proxy's own address."""
    connection = installation.settings.connections[name]
    url = normalise_url(given or connection.url)
    if urlsplit(url).netloc.casefold() == connection.proxy_host.casefold():
        raise UsageError(
            f"{url} is the proxy itself, which would ask itself for ever.",
            hint="Say where the server answers behind it: --plex-url URL",
        )
    return url


def find_nginx_version(told: str | None) -> tuple[int, ...]:
    """As told, else of the nginx on this machine; () where there is none. Raises UsageError."""
    if told is None:
        program = shutil.which("nginx") or shutil.which("nginx", path=_SYSTEM_PLACES)
        if program is None:
            return ()
        told = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stderr
    elif not re.fullmatch(r"\d+(\.\d+){1,3}", told):
        raise UsageError(
            f"'{told}' is no version of nginx.", hint="Give one such as 1.26.2, as 'nginx -v' says."
        )
    found = re.search(r"(\d+)\.(\d+)\.(\d+)|(\d+)\.(\d+)", told)
    return tuple(int(part) for part in found.groups() if part is not None) if found else ()


def find_user(told: str | None) -> str:
    """Who runs nginx's workers: as told; where root starts it one of the usual accounts; else whoever starts it: ""."""
    if told or os.geteuid() != 0:
        return told or ""
    return next((name for name in _WORKERS if _is_known(name)), "nobody")


def find_group(user: str) -> str:
    """The account's own group, where this machine knows it: nginx would take one of the same name, which not each has."""
    if not user or not _is_known(user):
        return ""
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


def find_post_url(installation: Installation, name: str, base_url: str | None) -> str:
    """Where the notes of a connection's proxy are posted; it holds a secret. Raises UsageError."""
    addresses = list_addresses(installation, find_base_url(installation, base_url))
    for each in addresses:
        if each.connection == name:
            return each.url
    raise UsageError(f"'{name}' is not read.", hint=f"Switch it on: playhead connections set '{name}' --read")


def make_files(proxy: Proxy, wish: ProxyWish, folder: Path, post_url: str) -> Mapping[str, str]:
    """All files of a proxy's folder by name. Raises UsageError."""
    runs_as = wish.user or pwd.getpwuid(os.geteuid()).pw_name
    return {
        CONFIGURATION: proxy.write_nginx(wish),
        URL_FILE: post_url + "\n",
        **proxy.write_companions(wish, str(folder), runs_as),
    }


def write_files(files: Mapping[str, str], folder: Path, spool: Path | None, user: str) -> None:
    """Write them, and make the spool, where one is wanted here, for the account that fills it. Raises PlayheadError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_atomically(folder / name, content.encode(), mode=0o600 if name == URL_FILE else 0o644)
        if spool is not None:
            spool.mkdir(parents=True, exist_ok=True, mode=0o700)
            spool.chmod(0o700)
        if user and os.geteuid() == 0:
            for path in filter(None, (spool, folder / URL_FILE if URL_FILE in files else None)):
                shutil.chown(path, user)
    except (OSError, LookupError) as error:
        raise PlayheadError(
            f"The proxy's files could not be written to {folder} ({error}).",
            hint="Is there such a folder and account? Name others with --folder, --spool and --user.",
        ) from error


def _is_known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
