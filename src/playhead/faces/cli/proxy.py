"""``playhead proxy``: nginx before a Plex server, and what carries its notes to the hub."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from playhead.faces.cli.options import DryRun, HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.session import Session
from playhead.ports.errors import PlayheadError, UsageError
from playhead.ports.proxy import ProxyWish
from playhead.wiring.proxy import (
    URL_FILE,
    find_group,
    find_nginx_version,
    find_plex_url,
    find_post_url,
    find_user,
    load_any_proxy,
    load_proxy,
    make_files,
    name_spool,
    write_files,
)
from playhead.wiring.webhooks import is_of_this_machine

SPOOLS = Path("/var/spool/playhead")


def _option(name: str, metavar: str, text: str, *, env: str | None = None) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        name, metavar=metavar, help=text, envvar=env, show_default=False
    )
    return option


def make_app() -> typer.Typer:
    """``proxy`` with its sub-commands."""
    app = typer.Typer(help="nginx before a Plex server, which notes what clients mark.", no_args_is_help=True)
    app.callback(epilog="Example: playhead proxy nginx Plex --listen 8400")(_group)
    app.command(
        "nginx",
        help="Write an nginx configuration that stands before a connection's server: to stdout, a file, or a folder with all "
        "that the proxy's machine needs. Plex Cluster's environment variables are understood.",
        epilog="Example: playhead proxy nginx Plex --server-name plex.example.org --certificate /etc/ssl/plex.pem "
        "--certificate-key /etc/ssl/plex.key --folder /etc/playhead-proxy",
    )(write_nginx)
    app.command(
        "deliver",
        help="Follow a proxy's spool and post what is in it to the hub, for as long as it takes. Ends on Ctrl-C.",
        epilog="Example: playhead proxy deliver --spool /var/spool/playhead/plex --url-file /etc/playhead-proxy/hub.url",
    )(deliver)
    app.command(
        "script",
        help="Print the deliverer: one file for Python 3.9 or newer, for a machine without Playhead.",
        epilog="Example: playhead proxy script > deliver.py",
    )(print_script)
    return app


def _group() -> None:
    """Nothing of its own."""


def write_nginx(
    connection: Annotated[
        str,
        typer.Argument(
            metavar="CONNECTION", help="The Plex server that it stands before.", show_default=False
        ),
    ],
    plex_url: Annotated[
        str | None,
        _option("--plex-url", "URL", "Where Plex itself answers; else the connection's address."),
    ] = None,
    plex_ip: Annotated[
        str | None,
        _option("--plex-ip", "HOST", "The same, as Plex Cluster has it: https there.", env="PLEX_IP"),
    ] = None,
    plex_port: Annotated[
        int,
        typer.Option(
            "--plex-port", metavar="PORT", min=1, max=65535, help="With --plex-ip.", envvar="PLEX_PORT"
        ),
    ] = 32400,
    server_name: Annotated[
        list[str] | None,
        _option("--server-name", "NAME", "How clients call the proxy; may be given again.", env="HTTPS_HOST"),
    ] = None,
    listen: Annotated[
        list[str] | None,
        _option(
            "--listen", "PORT", "Or ADDRESS:PORT; else 443 with a certificate, 80 without.", env="HTTPS_PORT"
        ),
    ] = None,
    certificate: Annotated[
        Path | None, _option("--certificate", "FILE", "For TLS, its chain included.", env="SSL_CERTIFICATE")
    ] = None,
    certificate_key: Annotated[
        Path | None, _option("--certificate-key", "FILE", "Its key.", env="SSL_CERTIFICATE_KEY")
    ] = None,
    resolver: Annotated[
        list[str] | None,
        _option(
            "--resolver",
            "ADDRESS",
            "A name server to ask for Plex's address anew each minute.",
            env="RESOLVERS",
        ),
    ] = None,
    upstream_ca: Annotated[
        Path | None,
        _option("--upstream-ca", "FILE", "Check Plex's own certificate by this; else it is taken as it is."),
    ] = None,
    spool: Annotated[
        Path | None,
        _option("--spool", "DIR", "Where nginx notes; else below the folder, or /var/spool/playhead."),
    ] = None,
    nginx_version: Annotated[
        str | None, _option("--nginx-version", "X.Y.Z", "Of the proxy's machine; else of nginx here.")
    ] = None,
    user: Annotated[
        str | None, _option("--user", "NAME", "Who runs nginx's workers; www-data where root starts it.")
    ] = None,
    complete: Annotated[
        bool,
        typer.Option("--complete", help="A whole nginx.conf, which runs with nginx -c and needs no root."),
    ] = False,
    output: Annotated[Path | None, _option("--output", "FILE", "Write the configuration there.")] = None,
    folder: Annotated[
        Path | None,
        _option("--folder", "DIR", "Write it there with the deliverer, its service and the hub's address."),
    ] = None,
    base_url: Annotated[
        str | None, _option("--base-url", "URL", "How the proxy's machine reaches the hub; with --folder.")
    ] = None,
    dry_run: DryRun = False,
    home: HomeOption = None,
    json: JsonFlag = False,
    verbose: Verbosity = 0,
) -> None:
    session = Session(home, as_json=json, verbose=verbose)
    name, known = session.installation.connection(connection)
    proxy = load_proxy(known.kind)
    place = folder or (output.parent if output else None)
    if complete and place is None:
        raise UsageError("A complete configuration needs a place for its files.", hint="Add --folder DIR.")
    if (certificate is None) != (certificate_key is None):
        raise UsageError(
            "A certificate needs its key.", hint="Give both --certificate and --certificate-key."
        )
    label = name_spool(name)
    behind = plex_url or (f"https://{plex_ip}:{plex_port}" if plex_ip else None)
    wish = ProxyWish(
        name=label,
        upstream_url=find_plex_url(session.installation, name, behind),
        listen=tuple(listen or ["443" if certificate else "80"]),
        server_names=tuple(server_name or ()),
        spool=_whole(spool or (place / "spool" if place and (folder or complete) else SPOOLS / label)),
        certificate=_whole(certificate),
        certificate_key=_whole(certificate_key),
        resolvers=tuple(resolver or ()),
        upstream_ca=_whole(upstream_ca),
        complete_in=_whole(place) if complete else "",
        user=(worker := find_user(user)),
        group=find_group(worker),
        nginx_version=find_nginx_version(nginx_version),
    )
    _refuse_circle(wish)
    text = proxy.write_nginx(wish)
    if place is None:
        session.screen.give({"nginx": text})
        session.screen.say(text.rstrip(), wrap=False)
        return _tell_rest(session, wish)
    if folder is not None:
        post_url = find_post_url(session.installation, name, base_url) if not dry_run else "-"
        files = make_files(proxy, wish, folder.absolute(), post_url)
    else:
        files = {(output or place).name: text}
    return _write(session, files, wish, place, dry=dry_run)


def _tell_rest(session: Session, wish: ProxyWish) -> None:
    """What a printed configuration still needs; beside it, so that it can be redirected into a file."""
    if session.screen.as_json:
        return
    owner = wish.user or "www-data"
    session.screen.note(
        f"\nBefore nginx reads it: install -d -o {owner} -m 700 {shlex.quote(wish.spool)}\n"
        f"Then what nginx notes there has to be carried to the hub: playhead proxy deliver --spool {shlex.quote(wish.spool)}\n"
        "With --folder DIR all of it is written, with the steps."
    )


def _whole(path: Path | None) -> str:
    return str(path.expanduser().absolute()) if path is not None else ""


def _refuse_circle(wish: ProxyWish) -> None:
    """Where the server would be asked at one of the proxy's own addresses."""
    parts = urlsplit(wish.upstream_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    ports = {place.rpartition(":")[2] for place in wish.listen}
    if str(port) in ports and parts.hostname in {each.partition(":")[0] for each in wish.server_names}:
        raise UsageError(
            f"{wish.upstream_url} is the proxy itself, which would ask itself for ever.",
            hint="Say where the server answers behind it: --plex-url URL",
        )


def _write(session: Session, files: Mapping[str, str], wish: ProxyWish, place: Path, *, dry: bool) -> None:
    place = place.absolute()
    own_spool = URL_FILE in files or bool(wish.complete_in)
    if not dry:
        write_files(files, place, Path(wish.spool) if own_spool else None, wish.user)
    session.screen.give({"dry_run": dry, "folder": str(place), "files": sorted(files), "spool": wish.spool})
    for name in files:
        session.screen.say(f"{'Would write' if dry else 'Wrote'} {place / name}")
    if is_of_this_machine(files.get(URL_FILE, "")):
        session.screen.note(
            "The hub's address is of this machine alone. For a proxy on another one: --base-url URL"
        )
    session.screen.say(f"nginx notes in {wish.spool}: tokens too, so nobody else may read it.")
    if "README.md" in files:
        session.screen.say(f"How to start it, in three steps, and how to undo it: {place / 'README.md'}")


def deliver(
    spool: Annotated[Path, _option("--spool", "DIR", "The folder that nginx writes.")],
    url: Annotated[
        str | None, _option("--url", "URL", "As 'webhooks list' says; others on this machine can see it.")
    ] = None,
    url_file: Annotated[
        Path | None,
        _option(
            "--url-file",
            "FILE",
            "A file with it; else PLAYHEAD_PROXY_URL, or CLUSTER_MANAGER with CLUSTER_MANAGER_TOKEN.",
        ),
    ] = None,
    keep_mb: Annotated[
        int, typer.Option("--keep-mb", metavar="MB", min=1, help="How large the spool may grow.")
    ] = 256,
    once: Annotated[bool, typer.Option("--once", help="End when nothing is left to send.")] = False,
) -> None:
    proxy = load_any_proxy()
    try:
        proxy.deliver(str(spool), proxy.find_url(url, _whole(url_file)), keep_mb=keep_mb, once=once)
    except BlockingIOError as error:
        raise PlayheadError(
            f"Another deliverer follows {spool} already.", hint="One is enough; end that one first."
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(
            f"Nothing can be delivered: {error}.", hint="The address is told by: playhead webhooks list"
        ) from error


def print_script() -> None:
    typer.echo(load_any_proxy().read_script(), nl=False)
