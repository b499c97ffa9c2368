"""The doctor's checks, joined to what they look at."""

from __future__ import annotations

import asyncio
from functools import partial

from playhead.flows.doctor import (
    Counts,
    Finding,
    Informant,
    Patient,
    check_counts,
    check_database,
    check_home,
    check_informant,
    check_key,
    check_patient,
    check_settings,
)
from playhead.runtime.home import Home
from playhead.settings import Login
from playhead.store.database import open_database
from playhead.store.overview import Overview
from playhead.wiring.installation import Installation, find_manifest
from playhead.wiring.senders import is_trigger_of, make_net
from playhead.wiring.signing_in import say_sign_in_again


async def examine(installation: Installation) -> list[Finding]:
    """All checks of the doctor on an installation."""
    home = installation.home
    checks = check_settings(home.settings, lambda: len(installation.settings_file.load().connections))
    findings = [check_home(home.path), checks, check_key(installation.secrets.key_path)]
    if checks.result == "fail":
        return findings
    findings += _examine_database(home)
    patients = [
        _patient(installation, name, login)
        for name, connection in installation.settings.connections.items()
        for login in connection.logins()
    ]
    informants = [_informant(installation, name) for name in installation.settings.senders]
    looks = [*map(check_patient, patients), *map(check_informant, informants)]
    for part in await asyncio.gather(*looks):
        findings += part
    return findings


def _examine_database(home: Home) -> list[Finding]:
    counts = Counts()

    def look() -> str:
        nonlocal counts
        database = open_database(home.path)
        try:
            overview = Overview(database)
            version = overview.examine()
            waiting = overview.count_waiting()
        finally:
            database.close()
        counts = Counts(**{name: waiting[name] for name in Counts.__struct_fields__})
        return version

    return [check_database(home.database, look), *check_counts(counts)]


def _informant(installation: Installation, name: str) -> Informant:
    sender = installation.settings.senders[name]
    return Informant(
        name=name,
        open_net=lambda: make_net(installation, sender),
        is_told=partial(is_trigger_of, kind=sender.kind),
        max_clock_skew_s=installation.settings.guards.max_clock_skew_s,
    )


def _patient(installation: Installation, name: str, login: Login) -> Patient:
    connection = installation.settings.connections[name]
    manifest = find_manifest(connection.kind)
    return Patient(
        name=name if login.place is None else f"{name} ({login.user})",
        title=manifest.title,
        server_id=connection.server_id,
        user=login.user,
        make_backend=lambda: installation.make_backend(connection, login=login),
        takes=connection.libraries.takes,
        tested=manifest.tested,
        max_clock_skew_s=installation.settings.guards.max_clock_skew_s,
        sign_in_again=say_sign_in_again(name, login, manifest),
        note_token=lambda: installation.refusals.clear(name, installation.secrets.resolve(login.token)),
    )
