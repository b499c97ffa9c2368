"""What the emulated plex.tv says of people, servers and shares. Shapes as recorded (facts, api-plex.md 7); no HTTP."""

from __future__ import annotations

from typing import Any

from playhead.sandbox.plex.accounts import Account, make_plextv_token
from playhead.sandbox.plex.core import PlexCore
from playhead.sandbox.plex.render import format_moment

_FEATURES = ("webhooks", "home", "pass", "sync", "collections")
_PROFILE = {
    "autoSelectAudio": True,
    "defaultAudioLanguage": "en",
    "defaultSubtitleLanguage": "en",
    "autoSelectSubtitle": 0,
    "defaultSubtitleAccessibility": 0,
    "defaultSubtitleForced": 0,
    "watchedIndicator": 1,
    "mediaReviewsVisibility": 0,
    "mediaReviewsLanguages": None,
}
_SIGN_IN = {
    "confirmed": True,
    "emailOnlyAuth": False,
    "hasPassword": True,
    "protected": False,
    "mailingListStatus": "unsubscribed",
    "mailingListActive": False,
    "scrobbleTypes": "",
    "country": "GB",
    "restricted": False,
    "guest": False,
    "joinedAt": 1_600_000_000,
    "twoFactorEnabled": False,
    "backupCodesCreated": False,
    "adsConsent": None,
    "locale": None,
}


def describe_user(person: Account, *, owner: bool, home_size: int) -> dict[str, Any]:
    """The person that asks; owners have Plex Pass."""
    subscription = {
        "active": owner,
        "subscribedAt": "2021-10-01T01:02:03Z",
        "status": "Active" if owner else "Inactive",
        "paymentService": "",
        "plan": "lifetime" if owner else "",
        "features": list(_FEATURES),
    }
    return {
        "id": person.plextv_id,
        "uuid": person.uuid,
        "username": person.name,
        "title": person.name,
        "email": f"{person.name}@example.com",
        "friendlyName": "",
        **_SIGN_IN,
        "thumb": _thumb(person),
        "authToken": make_plextv_token(person.name),
        "home": True,
        "homeAdmin": owner,
        "homeSize": home_size,
        "maxHomeSize": 15,
        "subscription": subscription,
        "profile": _PROFILE,
        "entitlements": ["all"],
        "roles": ["plexpass"] if owner else [],
        "services": [],
    }


def describe_resource(core: PlexCore, account: Account, url: str, now: float) -> dict[str, Any]:
    """A server as the account sees it, with the token to use there."""
    protocol, _, rest = url.partition("://")
    address, _, port = rest.rpartition(":")
    connection = {"protocol": protocol, "address": address, "port": int(port), "uri": url}
    owner = core.accounts[0]
    return {
        "name": core.name,
        "product": "Plex Media Server",
        "productVersion": core.version,
        "platform": "Linux",
        "platformVersion": "6.1.0",
        "device": "PC",
        "clientIdentifier": core.machine_id,
        "createdAt": "2024-01-01T00:00:00Z",
        "lastSeenAt": format_moment(now),
        "provides": "server",
        "ownerId": None if account.owner else owner.plextv_id,
        "sourceTitle": None if account.owner else owner.name,
        "publicAddress": "203.0.113.10",
        "accessToken": account.token,
        "owned": account.owner,
        "home": not account.owner,
        "synced": False,
        "relay": False,
        "presence": True,
        "httpsRequired": False,
        "publicAddressMatches": True,
        "dnsRebindingProtection": False,
        "natLoopbackSupported": True,
        "searchEnabled": True,
        "connections": [
            *core.addresses,
            {**connection, "local": True, "relay": False, "IPv6": False},
        ],
    }


def describe_home_user(person: Account, *, owner: bool, now: float) -> dict[str, Any]:
    """Somebody of the home."""
    return {
        "id": person.plextv_id,
        "uuid": person.uuid,
        "title": person.name,
        "username": person.name,
        "email": f"{person.name}@example.com",
        "friendlyName": person.name,
        "thumb": _thumb(person),
        "hasPassword": True,
        "restricted": False,
        "updatedAt": int(now),
        "restrictionProfile": None,
        "admin": owner,
        "guest": False,
        "protected": bool(person.pin),
    }


def _thumb(person: Account) -> str:
    return f"https://plex.tv/users/{person.uuid}/avatar?c=1700000000"


def describe_friend(account: Account) -> dict[str, Any]:
    """Somebody with whom a server is shared; its shares go into ``Server``."""
    filters = dict.fromkeys(
        ("filterAll", "filterMovies", "filterMusic", "filterPhotos", "filterTelevision"), ""
    )
    return {
        "id": account.plextv_id,
        "title": account.name,
        "username": account.name,
        "email": f"{account.name}@example.com",
        "recommendationsPlaylistId": "",
        "thumb": _thumb(account),
        "protected": False,
        "home": True,
        "allowSync": True,
        "allowCameraUpload": False,
        "allowChannels": False,
        "restricted": False,
        **filters,
        "Server": [],
    }


def describe_share(core: PlexCore, account: Account, place: int) -> dict[str, Any]:
    """One server as it is shared with somebody."""
    libraries = [s for s in core.catalogue.present_sections() if account.may_see(s)]
    return {
        "id": account.plextv_id % 1_000_000 + place,
        "serverId": place + 1,
        "machineIdentifier": core.machine_id,
        "name": core.name,
        "lastSeenAt": core.now(),
        "numLibraries": len(libraries),
        "allLibraries": account.libraries is None,
        "owned": False,
        "pending": False,
    }


def describe_shared_server(account: Account) -> dict[str, Any]:
    """Somebody\'s token for one shared server."""
    return {
        "id": account.plextv_id % 1_000_000,
        "username": account.name,
        "email": f"{account.name}@example.com",
        "userID": account.plextv_id,
        "accessToken": account.token,
        "allLibraries": account.libraries is None,
    }
