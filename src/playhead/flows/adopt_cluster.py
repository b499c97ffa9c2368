"""Reads a Plex Cluster manager's configuration and says what of it becomes a connection.

Pure: gets plain values, gives plain values. Its hosts are the proxies before the servers. Source: facts, predecessors.md 4.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from playhead.flows.adopt import Adopted, Adoption, LeftBehind
from playhead.ports.errors import UsageError

_KNOWN = {"host", "port", "token"}
_REASONS = {"log": "the proxy's own deliverer follows its log: playhead proxy nginx"}
_HTTPS = 443


def read_plex_cluster(raw: object, direct: Mapping[str, str]) -> Adoption:
    """The connections in a ``plex-cluster-manager.yml``. ``direct`` are servers' own addresses by host or host:port, lower case.

    Raises UsageError where it is no such file, or where ``direct`` names a host that is not in it.
    """
    hosts = raw.get("hosts") if isinstance(raw, Mapping) else None
    if not isinstance(hosts, list) or not hosts or not all(isinstance(each, Mapping) for each in hosts):
        raise UsageError(
            "This is not a configuration of Plex Cluster's manager.",
            hint="It has 'hosts:' with host, port and token of each below.",
        )
    counts = Counter(_read_text(each, "host").casefold() for each in hosts)
    servers, left, known = list[Adopted](), list[LeftBehind](), set[str]()
    for number, entry in enumerate(hosts):
        host, token = _read_text(entry, "host"), _read_text(entry, "token")
        place = f"{host}:{_read_text(entry, 'port') or _HTTPS}".casefold()
        known |= {host.casefold(), place}
        left += _list_others(entry, host or f"hosts[{number}]")
        missing = [key for key, value in (("host", host), ("token", token)) if not value]
        if missing:
            left.append(LeftBehind(host or f"hosts[{number}]", f"has no {' and no '.join(missing)}"))
            continue
        name = host if counts[host.casefold()] == 1 else place
        url = direct.get(place) or direct.get(host.casefold()) or f"https://{place}"
        servers.append(Adopted(name=name, kind="plex", url=url, token=token, proxy_host=place))
    if strange := sorted(set(direct) - known):
        hint = f"Its hosts: {', '.join(sorted(host for host in counts if host))}."
        raise UsageError(f"'{strange[0]}' is no host in that file.", hint=hint)
    return Adoption(tuple(servers), tuple(left))


def _read_text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return "" if value is None else str(value).strip()


def _list_others(entry: Mapping[str, Any], name: str) -> list[LeftBehind]:
    others = [key for key, value in entry.items() if key not in _KNOWN and value is not None]
    return [LeftBehind(f"{name}.{key}", _REASONS.get(key, "Playhead has nothing like it")) for key in others]
