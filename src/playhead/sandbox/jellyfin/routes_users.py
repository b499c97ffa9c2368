"""Routes of users, sign-in, API keys, quick connect, sessions and devices."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from playhead.sandbox.jellyfin.accounts import Client, QuickConnect, Token, User, describe_key
from playhead.sandbox.jellyfin.answers import json_answer, json_failure, nothing, problem, text_failure
from playhead.sandbox.jellyfin.call import Call
from playhead.sandbox.jellyfin.sessions import Session, default_capabilities
from playhead.sandbox.jellyfin.ticks import PER_SECOND, show
from playhead.sandbox.jellyfin.web import Route


def _describe(call: Call, user: User, *, fresh: bool = False) -> dict[str, Any]:
    return call.server.accounts.describe_user(user, call.server.server_id, fresh=fresh)


def list_users(call: Call) -> web.Response:
    """``GET /Users``: everyone, also for a non-admin."""
    hidden, disabled = call.flag("isHidden"), call.flag("isDisabled")
    users = sorted(call.server.accounts.users.values(), key=lambda user: user.name.lower())
    users = [user for user in users if hidden in (None, user.policy["IsHidden"])]
    return json_answer(
        [_describe(call, user) for user in users if disabled in (None, user.policy["IsDisabled"])]
    )


def public_users(call: Call) -> web.Response:
    """``GET /Users/Public``: those who are not hidden; a new user is."""
    users = call.server.accounts.users.values()
    shown = [user for user in users if not user.policy["IsHidden"] and not user.policy["IsDisabled"]]
    return json_answer([_describe(call, user) for user in shown])


def get_me(call: Call) -> web.Response:
    """``GET /Users/Me``: an API key is nobody."""
    if call.token is None or call.token.user is None:
        raise problem(400)
    return json_answer(_describe(call, call.token.user))


def _path_user(call: Call) -> User:
    user = call.server.accounts.users.get(call.path_guid("userId"))
    if user is None:
        raise json_failure("User not found", 404)
    return user


def get_user(call: Call) -> web.Response:
    """``GET /Users/{userId}``."""
    return json_answer(_describe(call, _path_user(call)))


def new_user(call: Call) -> web.Response:
    """``POST /Users/New``."""
    given = call.json("request", {"name": str, "password": str})
    name = given.get("name")
    if not name:
        raise problem(400, {"Name": ["The Name field is required."]})
    try:
        user = call.server.accounts.add_user(name, given.get("password") or "")
    except ValueError:
        raise text_failure(400) from None
    return json_answer(_describe(call, user, fresh=True))


def delete_user(call: Call) -> web.Response:
    """``DELETE /Users/{userId}``."""
    call.server.remove_user(_path_user(call))
    return nothing()


def set_policy(call: Call) -> web.Response:
    """``POST /Users/{userId}/Policy``."""
    user = _path_user(call)
    given = call.json("newPolicy")
    for name in list(user.policy):
        if given.get(name.lower()) is not None:
            user.policy[name] = given[name.lower()]
    return nothing()


# --- sign-in


def authenticate(call: Call) -> web.Response:
    """``POST /Users/AuthenticateByName``."""
    given = call.json("request", {"username": str, "pw": str})
    client = call.client
    if not given.get("username") or not all((client.app, client.device, client.device_id, client.version)):
        raise text_failure(400)
    user = call.server.accounts.check_password(given["username"], given.get("pw") or "")
    if user is None:
        raise text_failure(401)
    token = call.server.accounts.log_in(user, client)
    session = call.server.sessions.touch(client, user, call.request.remote or "127.0.0.1")
    call.server.sessions.note("AuthenticationSucceeded", f"{user.name} successfully authenticated", user)
    return _welcome(call, user, session, token)


def _welcome(call: Call, user: User, session: Session, token: Token) -> web.Response:
    body = {
        "User": _describe(call, user),
        "SessionInfo": call.server.describe_session(session),
        "AccessToken": token.secret,
        "ServerId": call.server.server_id,
    }
    return json_answer(body)


def log_out(call: Call) -> web.Response:
    """``POST /Sessions/Logout``: the token dies with its session."""
    assert call.token is not None
    call.server.accounts.tokens.pop(call.token.secret, None)
    call.server.sessions.end(call.client)
    return nothing()


def quick_connect_enabled(call: Call) -> web.Response:
    return json_answer(bool(call.server.configuration["QuickConnectAvailable"]))


def quick_connect_start(call: Call) -> web.Response:
    """``/QuickConnect/Initiate``: a code to be approved elsewhere."""
    _need_quick_connect(call)
    return json_answer(_describe_attempt(call.server.accounts.start_quick_connect(call.client)))


def _need_quick_connect(call: Call) -> None:
    """Switched off it is 401 everywhere (the server's source)."""
    if not call.server.configuration["QuickConnectAvailable"]:
        raise json_failure("Quick connect is disabled", 401)


def _describe_attempt(attempt: QuickConnect) -> dict[str, Any]:
    return {
        "Authenticated": attempt.user is not None,
        "Secret": attempt.secret,
        "Code": attempt.code,
        "DeviceId": attempt.client.device_id,
        "DeviceName": attempt.client.device,
        "AppName": attempt.client.app,
        "AppVersion": attempt.client.version,
        "DateAdded": show(attempt.added),
    }


def quick_connect_state(call: Call) -> web.Response:
    """``GET /QuickConnect/Connect``."""
    _need_quick_connect(call)
    attempt = call.server.accounts.find_attempt(call.text("secret") or "")
    if attempt is None:
        raise json_failure("Unknown secret", 404)
    return json_answer(_describe_attempt(attempt))


def quick_connect_approve(call: Call) -> web.Response:
    """``POST /QuickConnect/Authorize``."""
    user = call.user()
    _need_quick_connect(call)
    try:
        approved = call.server.accounts.approve(call.text("code") or "", user)
    except KeyError:
        raise text_failure(404) from None
    attempt = next(each for each in call.server.accounts.pending.values() if each.code == call.text("code"))
    call.server.sessions.touch(attempt.client, user)
    return json_answer(approved)


def quick_connect_finish(call: Call) -> web.Response:
    """``POST /Users/AuthenticateWithQuickConnect``."""
    attempt = call.server.accounts.find_attempt(str(call.json("request", {"secret": str}).get("secret")))
    if attempt is None or attempt.user is None or attempt.token is None:
        raise text_failure(404)
    session = call.server.sessions.touch(attempt.client, attempt.user)
    return _welcome(call, attempt.user, session, attempt.token)


def list_keys(call: Call) -> web.Response:
    """``GET /Auth/Keys``."""
    keys = [describe_key(token) for token in call.server.accounts.api_keys()]
    return json_answer({"Items": keys, "TotalRecordCount": len(keys), "StartIndex": 0})


def add_key(call: Call) -> web.Response:
    """``POST /Auth/Keys?app=``."""
    call.server.accounts.add_key(call.text("app") or "")
    return nothing()


def delete_key(call: Call) -> web.Response:
    """``DELETE /Auth/Keys/{key}``: 204 for an unknown one too."""
    call.server.accounts.tokens.pop(call.path["key"], None)
    return nothing()


# --- sessions and devices


def list_sessions(call: Call) -> web.Response:
    """``GET /Sessions``: all for an admin, one's own for others."""
    assert call.token is not None
    sessions = call.server.sessions.newest_first()
    if not call.token.admin:
        sessions = [session for session in sessions if session.user is call.token.user]
    device, within = call.text("deviceId"), call.number("activeWithinSeconds")
    if device is not None:
        sessions = [session for session in sessions if session.client.device_id == device]
    if within is not None:
        since = call.server.now() - within * PER_SECOND
        sessions = [session for session in sessions if session.last_activity >= since]
    if call.guid("controllableByUserId") is not None:
        sessions = []  # nothing here can be controlled from afar
    return json_answer([call.server.describe_session(session) for session in sessions])


def set_capabilities(call: Call) -> web.Response:
    """``POST /Sessions/Capabilities/Full``."""
    shape = {"playablemediatypes": list, "supportedcommands": list, "supportsmediacontrol": bool}
    given = call.json("capabilities", shape)
    session = call.server.touch_session(call, None)
    blank = {**default_capabilities(), "SupportsPersistentIdentifier": False}
    session.capabilities = {name: given.get(name.lower(), value) for name, value in blank.items()}
    return nothing()


def set_capabilities_by_query(call: Call) -> web.Response:
    """``POST /Sessions/Capabilities``."""
    session = call.server.touch_session(call, None)
    session.capabilities = {
        "PlayableMediaTypes": call.words("playableMediaTypes"),
        "SupportedCommands": call.words("supportedCommands"),
        "SupportsMediaControl": call.flag("supportsMediaControl") or False,
        "SupportsPersistentIdentifier": call.flag("supportsPersistentIdentifier") is not False,
    }
    return nothing()


def list_devices(call: Call) -> web.Response:
    """``GET /Devices``: the last sign-in on each device."""
    newest: dict[str, Token] = {}
    for token in call.server.accounts.tokens.values():
        if token.user is not None and token.client.device_id:
            newest[token.client.device_id] = token
    tokens = sorted(newest.values(), key=lambda token: -token.created)
    items = [_describe_device(token.client, token) for token in tokens]
    return json_answer({"Items": items, "TotalRecordCount": len(items), "StartIndex": 0})


def _describe_device(client: Client, token: Token) -> dict[str, Any]:
    assert token.user is not None
    return {
        "Name": client.device,
        "Id": client.device_id,
        "LastUserName": token.user.name,
        "AppName": client.app,
        "AppVersion": client.version,
        "LastUserId": token.user.id,
        "DateLastActivity": show(token.last_activity),
        "Capabilities": default_capabilities(),
    }


ROUTES = [
    Route("GET", "/Users", list_users),
    Route("GET", "/Users/Public", public_users, "anyone"),
    Route("GET", "/Users/Me", get_me),
    Route("GET", "/Users/{userId}", get_user),
    Route("POST", "/Users/New", new_user, "admin"),
    Route("DELETE", "/Users/{userId}", delete_user, "admin"),
    Route("POST", "/Users/{userId}/Policy", set_policy, "admin"),
    Route("POST", "/Users/AuthenticateByName", authenticate, "anyone"),
    Route("POST", "/Users/AuthenticateWithQuickConnect", quick_connect_finish, "anyone"),
    Route("GET", "/QuickConnect/Enabled", quick_connect_enabled, "anyone"),
    Route("GET", "/QuickConnect/Initiate", quick_connect_start, "anyone", until=(10, 11)),
    Route("POST", "/QuickConnect/Initiate", quick_connect_start, "anyone", since=(10, 9)),
    Route("GET", "/QuickConnect/Connect", quick_connect_state, "anyone"),
    Route("POST", "/QuickConnect/Authorize", quick_connect_approve),
    Route("GET", "/Auth/Keys", list_keys, "admin"),
    Route("POST", "/Auth/Keys", add_key, "admin"),
    Route("DELETE", "/Auth/Keys/{key}", delete_key, "admin"),
    Route("GET", "/Sessions", list_sessions),
    Route("POST", "/Sessions/Logout", log_out),
    Route("POST", "/Sessions/Capabilities", set_capabilities_by_query),
    Route("POST", "/Sessions/Capabilities/Full", set_capabilities),
    Route("GET", "/Devices", list_devices, "admin"),
]
