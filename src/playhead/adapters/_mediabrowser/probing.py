"""Who answers at an address where Jellyfin or Emby was expected. Knows the one open route that both have.

Decides between the right product, its sibling, Plex, a login page and a server that is still starting.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from playhead.kit.decoding import decode_json
from playhead.kit.http import Http
from playhead.ports.errors import (
    BackendError,
    BadAnswer,
    NotFound,
    Refused,
    ServerFault,
    Unauthorized,
    WrongServer,
)

INFO_PATH = "/System/Info/Public"


class PublicInfo(msgspec.Struct):
    """PublicSystemInfo of either product; a Jellyfin that is starting answers in camelCase for a moment."""

    Id: str | None = None
    ServerName: str | None = None
    Version: str | None = None
    ProductName: str | None = None
    StartupWizardCompleted: bool | None = None
    version: str | None = None
    startupWizardCompleted: bool | None = None


_INFO = msgspec.json.Decoder(PublicInfo, strict=False)


def describe_place(product: str, url: str) -> str:
    """``Jellyfin at 10.0.0.5:8096``, for messages."""
    return f"{product} at {urlsplit(url).netloc.rpartition('@')[2] or url}"


def describe_address(http: Http) -> str:
    """The address without name and password, should it hold them."""
    return str(http.base.with_user(None))


def clean_url(url: str) -> str:
    """The server's own address from what a person copied out of the browser (``…/web/index.html#!/home``)."""
    return url.strip().partition("/web/")[0].rstrip("/").removesuffix("/web")


async def read_public_info(http: Http, paths: tuple[str, ...], product: str) -> PublicInfo:
    """The open answer of the server, tried under each of ``paths``. Raises WrongServer, ServerFault, Unreachable."""
    failure: BackendError | None = None
    for path in paths:
        try:
            info = decode_json(_INFO, (await http.read(path, expect="any")).body)
        except (NotFound, Unauthorized, Refused) as error:
            failure = error
        except ServerFault as error:
            raise ServerFault(
                f"{error.message} It may be starting.",
                hint="Wait a minute and try again; then look at the server's own log.",
            ) from error
        except msgspec.DecodeError as error:
            failure = BadAnswer(str(error))
        else:
            return _check_started(info, http.title, product)
    await _refuse_plex(http, product)
    raise WrongServer(
        f"What answers at {describe_address(http)} is not {product}.",
        hint="Is the address that of the server itself, with its port, and not of a login page or another service?",
    ) from failure


def _check_started(info: PublicInfo, title: str, product: str) -> PublicInfo:
    if info.Version is None and info.version is not None:
        raise ServerFault(f"{title} is starting.", hint="Wait a minute and try again.")
    if info.Version is None or info.Id is None:
        raise WrongServer(
            f"{title} does not say what {product} says of itself.",
            hint="Is the address that of the server itself, with its port?",
        )
    if info.StartupWizardCompleted is False:
        raise ServerFault(
            f"{title} is not set up yet.", hint="Finish its start-up wizard in the browser first."
        )
    return info


async def _refuse_plex(http: Http, product: str) -> None:
    try:
        answer = await http.read("/identity", expect="any")
    except BackendError:
        return
    if b"machineIdentifier" in answer.body:
        raise WrongServer(
            f"What answers at {describe_address(http)} is a Plex Media Server, not {product}.",
            hint="Connect it with `playhead connect plex`.",
        )
