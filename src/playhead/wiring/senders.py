"""The Sonarrs and Radarrs of an installation: found by name, kept in the settings, asked while the hub runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec

from playhead.adapters import find_arr_manifests
from playhead.domain.library.mapping import PathMap
from playhead.flows.catch_up import CatchUp
from playhead.flows.take_arrivals import ArrivalDesk
from playhead.ports.arrivals import ArrInfo, ArrManifest, CatchesUp
from playhead.ports.errors import Refused, UsageError
from playhead.ports.events import RegistersWebhooks
from playhead.ports.senders import KeepsSenders
from playhead.runtime.asking import Asking, NoteLook
from playhead.runtime.log import hide
from playhead.runtime.settings_file import put_sender
from playhead.sender_settings import SenderSettings
from playhead.wiring.api_key import find_api_key
from playhead.wiring.installation import Installation, list_sender_kinds, load_named

__all__ = ["AskedSenders", "NoteLook"]


def find_sender(installation: Installation, name: str) -> tuple[str, SenderSettings] | None:
    """The sender of that name, upper and lower case alike; None where there is none."""
    wanted = name.strip().casefold()
    return next(
        (each for each in installation.settings.senders.items() if each[0].casefold() == wanted), None
    )


def find_told(installation: Installation, kind: str, name: str) -> SenderSettings | None:
    """The sender from which a post came: the one that it names, else the only one of its kind."""
    named = find_sender(installation, name) if name else None
    if named is not None and named[1].kind == kind:
        return named[1]
    of_kind = [each for each in installation.settings.senders.values() if each.kind == kind]
    return of_kind[0] if len(of_kind) == 1 else None


def find_sender_manifest(kind: str) -> ArrManifest:
    """The program of that name. Raises UsageError naming those that can be asked."""
    if kind not in list_sender_kinds():
        known = ", ".join(list_sender_kinds())
        raise UsageError(f"Playhead cannot ask a '{kind}'.", hint=f"It can ask: {known}.")
    return find_arr_manifests()[kind]


def make_net(installation: Installation, sender: SenderSettings, *, key: str | None = None) -> CatchesUp:
    """What asks a sender. ``key`` None resolves the reference. Raises UsageError, PlayheadError."""
    manifest = find_sender_manifest(sender.kind)
    assert manifest.net is not None and manifest.settings is not None
    secret = installation.secrets.resolve(sender.key) if key is None else key
    hide(secret)
    settings = msgspec.convert(
        {"url": sender.url, "verify_tls": sender.verify_tls}, load_named(manifest.settings)
    )
    net: CatchesUp = load_named(manifest.net)(settings, secret)
    return net


async def check_sender(installation: Installation, sender: SenderSettings, key: str | None) -> ArrInfo:
    """Ask it who it is. Raises BackendError where address or key are wrong."""
    net = make_net(installation, sender, key=key)
    try:
        return await net.probe()
    finally:
        await net.close()


def save_sender(
    installation: Installation,
    name: str,
    sender: SenderSettings,
    *,
    secret: str | None,
    replaces: str | None = None,
) -> SenderSettings:
    """Save a checked sender; ``secret`` is kept encrypted, None = ``key`` already refers to one elsewhere. What ``replaces``
    names is renamed and overwritten."""
    installation.home.prepare()
    old = installation.settings.senders.get(replaces) if replaces else None
    if secret is not None:
        sender = msgspec.structs.replace(sender, key=installation.secrets.keep(name, secret))
    try:
        installation.settings_file.edit(lambda document: put_sender(document, name, sender, replaces))
    except BaseException:
        if secret is not None:
            installation.secrets.drop(sender.key)
        raise
    if old is not None and old.key != sender.key:
        installation.secrets.drop(old.key)
    installation.__dict__.pop("settings", None)
    return sender


def remove_sender(installation: Installation, name: str) -> None:
    """Take a sender out of the settings and forget its key."""
    sender = installation.settings.senders[name]
    installation.settings_file.edit(lambda document: put_sender(document, name, None, name))
    installation.secrets.drop(sender.key)
    installation.__dict__.pop("settings", None)


def make_trigger_url(installation: Installation, base_url: str, name: str, kind: str) -> str:
    """Where a sender posts to. The URL holds the key."""
    query = urlencode({"sender": name, "apikey": find_api_key(installation)}, quote_via=quote)
    return f"{base_url}/triggers/{kind}?{query}"


def is_trigger_of(url: str, kind: str, name: str = "") -> bool:
    """Whether an address is that of some hub's for posts of this kind; with ``name``, for those of this sender."""
    parts = urlsplit(url)
    named = parse_qs(parts.query).get("sender", [""])[0]
    return parts.path.endswith(f"/triggers/{kind}") and (not name or named == name)


async def set_up_sender(installation: Installation, name: str, url: str, *, remove: bool, dry: bool) -> str:
    """Have a sender post to its address, or not any more; an older address of the same sender gives way. Gives what was done.
    Raises BackendError."""
    sender = installation.settings.senders[name]
    net = make_net(installation, sender)
    try:
        if not isinstance(net, RegistersWebhooks):
            raise Refused(f"A {sender.kind} cannot be told.")
        there = await net.list_webhooks()
        own = [each for each in there if is_trigger_of(each, sender.kind, name)]
        if remove and not own:
            return "not there"
        if not remove and url in own:
            return "there already"
        if not dry:
            if not remove:
                await net.register_webhook(url)
            for each in own:
                await net.remove_webhook(each)
        if dry:
            return "would remove" if remove else "would register"
        return "removed" if remove else "registered"
    finally:
        await net.close()


class AskedSenders:
    """All senders of one state of the settings, each asked for itself."""

    def __init__(
        self, installation: Installation, keeps: KeepsSenders, desk: ArrivalDesk, note: NoteLook
    ) -> None:
        senders = installation.settings.senders
        self._forget: Callable[[], None] = partial(keeps.forget_senders, list(senders))
        self._asked = [
            Asking(
                name,
                sender.look_every_s,
                CatchUp(
                    name,
                    PathMap(each.folder for each in sender.paths or installation.settings.triggers.paths),
                    sender.sweep_every_s,
                    keeps,
                    desk,
                ),
                partial(make_net, installation, sender),
                note,
            )
            for name, sender in senders.items()
        ]

    async def run(self) -> None:
        """Ask until cancelled."""
        await asyncio.to_thread(self._forget)
        await asyncio.gather(*(each.run() for each in self._asked))

    def describe(self) -> dict[str, str]:
        """How it stands with each."""
        return {each.name: each.state for each in self._asked}
