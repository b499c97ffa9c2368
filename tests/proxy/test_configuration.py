"""The configuration that is written: nginx takes every variant, and nothing can be smuggled into it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from bench.ports import find_port

from playhead.adapters.plex.proxy.nginx import PlexProxy
from playhead.ports.errors import UsageError
from playhead.ports.proxy import ProxyWish
from tests.proxy.rig import NGINX, Certificate, needs_nginx

PLEX = "http://127.0.0.1:32400"


def wish(folder: Path, **more: Any) -> ProxyWish:
    spool = folder / "spool"
    spool.mkdir(mode=0o700, exist_ok=True)
    given = {
        "name": "den",
        "upstream_url": PLEX,
        "listen": (f"127.0.0.1:{find_port()}",),
        "server_names": (),
        "spool": str(spool),
        **more,
    }
    return ProxyWish(**given)


def judge(folder: Path, *texts: str, complete: bool = False) -> str:
    """What ``nginx -t`` says of a configuration, or of several to be included in one."""
    assert NGINX is not None
    path = folder / "judged.conf"
    if complete:
        path.write_text(texts[0])
    else:
        for number, text in enumerate(texts):
            (folder / f"part{number}.conf").write_text(text)
        temporary = "".join(
            f"{kind}_temp_path {folder}/t-{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        path.write_text(
            f"pid {folder}/pid; events {{}} http {{ access_log off; {temporary} include {folder}/part*.conf; }}"
        )
    command = [NGINX, "-t", "-q", "-p", str(folder), "-e", "stderr", "-c", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "https upstream": {"upstream_url": "https://127.0.0.1:32400"},
    "named upstream": {"upstream_url": "https://localhost:32400"},
    "IPv6 upstream": {"upstream_url": "https://[::1]:32400"},
    "resolver": {"upstream_url": "https://plex.internal:32400", "resolvers": ("127.0.0.1", "[::1]:5353")},
    "names": {"server_names": ("plex.example.org", "*.example.org", "other.example.org:8443")},
    "several places": {"listen": ("127.0.0.1:18401", "[::1]:18401", "18402")},
}


@needs_nginx
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_nginx_takes_every_variant(tmp_path: Path, certificate: Certificate, variant: str, tls: bool) -> None:
    """To be included and complete; without a word of warning."""
    more = dict(VARIANTS[variant])
    if tls:
        more |= {"certificate": str(certificate.path), "certificate_key": str(certificate.key_path)}
    included = PlexProxy().write_nginx(wish(tmp_path, **more))
    assert judge(tmp_path, included) == ""
    complete = PlexProxy().write_nginx(wish(tmp_path, complete_in=str(tmp_path), **more))
    assert judge(tmp_path, complete, complete=True) == ""


@needs_nginx
def test_several_proxies_stand_in_one_nginx(tmp_path: Path) -> None:
    """Their names differ by their connections'."""
    texts = [PlexProxy().write_nginx(wish(tmp_path, name=name)) for name in ("den", "living-room")]
    assert judge(tmp_path, *texts) == ""


@needs_nginx
def test_a_place_with_blanks_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "my proxy"
    folder.mkdir()
    text = PlexProxy().write_nginx(wish(folder, complete_in=str(folder)))
    assert judge(folder, text, complete=True) == ""


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((), "ssl http2;"),
        ((1, 18, 0), "ssl http2;"),
        ((1, 25, 0), "ssl http2;"),
        ((1, 25, 1), "http2 on;"),
        ((1, 28), "http2 on;"),
    ],
)
def test_http2_is_asked_for_in_the_words_of_that_nginx(
    tmp_path: Path, certificate: Certificate, version: tuple[int, ...], expected: str
) -> None:
    """The directive came with 1.25.1; without TLS there is none."""
    keys = {"certificate": str(certificate.path), "certificate_key": str(certificate.key_path)}
    text = PlexProxy().write_nginx(wish(tmp_path, nginx_version=version, **keys))
    words = [line.strip() for line in text.splitlines() if re.search(r"\bhttp2\b.*;$", line)]
    assert len(words) == 1 and words[0].endswith(expected)
    assert not re.search(r"\bhttp2\b", PlexProxy().write_nginx(wish(tmp_path, nginx_version=version)))


EVIL = ("x; return 200", "x}", "x{", 'x"', "x'", "x\ny", "x\\", "x $y", "$host", "x#", "")


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("field", ["server_names", "listen", "resolvers", "user"])
def test_no_word_can_bring_another_along(tmp_path: Path, field: str, text: str) -> None:
    """Refused with what would be right."""
    if field == "user" and not text:
        return  # no user
    with pytest.raises(UsageError) as refused:
        PlexProxy().write_nginx(wish(tmp_path, **{field: text if field == "user" else (text,)}))
    assert refused.value.hint


@pytest.mark.parametrize("text", ["/x;y", "/x{y", '/x"y', "/x'y", "/x\ny", "/x\\y", "/x$y", "x"])
@pytest.mark.parametrize("field", ["spool", "certificate", "upstream_ca", "complete_in"])
def test_no_path_can_bring_another_word_along(tmp_path: Path, field: str, text: str) -> None:
    paths = {"certificate": "/c", "certificate_key": "/k", field: text}
    with pytest.raises(UsageError, match="cannot stand in nginx's configuration"):
        PlexProxy().write_nginx(wish(tmp_path, **paths))


@pytest.mark.parametrize(
    "url",
    [
        "http://h;x:32400",
        "http://h}:1",
        "http://h:99999",
        "http://h/path",
        "ftp://h:1",
        "http://",
        "h:32400",
        "http://$h:1",
        "http://u:p@h:1/x",
    ],
)
def test_what_is_no_address_of_a_plex_server_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="is not the address"):
        PlexProxy().write_nginx(wish(tmp_path, upstream_url=url))


@pytest.mark.parametrize("port", ["0", "65536", "127.0.0.1:0"])
def test_a_port_that_cannot_be_is_refused(tmp_path: Path, port: str) -> None:
    with pytest.raises(UsageError, match="port"):
        PlexProxy().write_nginx(wish(tmp_path, listen=(port,)))
