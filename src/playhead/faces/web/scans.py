"""Scans asked for over HTTP: the hub's own ``/api/v1/scans``, PlexLib's ``/update/`` and autoscan's ``/triggers/``.

The key is looked at before the body. Every answer is JSON and its status tells the truth: 202 when the job is on disk, 404 with
where was looked when nothing holds what was named.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Protocol
from urllib.parse import quote, unquote

import msgspec
from msgspec import Meta

from playhead.domain.library.places import is_windows
from playhead.faces.job_words import describe_job
from playhead.faces.web.scan_forms import MOST_PATHS, read_changes, read_fields, read_form, send_page
from playhead.faces.webhooks.bodies import Receive, Refusal, Scope, Send, read_body, send_json
from playhead.flows.request_scan import NowhereToScan, ScanRequest
from playhead.kit.log import Log
from playhead.library_settings import TriggerSettings
from playhead.ports.arrivals import ArrivalPost
from playhead.ports.errors import BadAnswer, PlayheadError, UsageError
from playhead.ports.library_jobs import Job

log = Log(__name__)

LARGEST_BODY = 1024 * 1024
LARGEST_POST = 10 * 1024 * 1024  # of a Sonarr: the rename of a long series has thousands of files
BODY_WITHIN_S = 15.0
LONGEST_WAIT_S = 60.0
LOOK_EVERY_S = 0.1
MOST_LISTED = 500
RETRY_AFTER_S = 10
PAGE = object()  # in the place of a value: the page with a form

Text = Annotated[str, Meta(min_length=1, max_length=4096, pattern=r"^[^\x00-\x08\x0b-\x1f]+\Z")]


class PostedScan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /api/v1/scans``: one of ``library``, ``name`` and ``paths``."""

    library: Text | None = None
    name: (
        Annotated[str, Meta(min_length=1, max_length=1024, pattern=r"^[^\x00-\x08\x0b-\x1f/\\]+\Z")] | None
    ) = None
    paths: Annotated[list[Text], Meta(min_length=1, max_length=MOST_PATHS)] | None = None
    gone: bool = False
    connections: Annotated[list[Text], Meta(max_length=100)] = []


class Scanning(Protocol):
    """What answers here: the hub's scans as they are set now. ``arr_names`` are programs that post arrivals."""

    triggers: TriggerSettings
    arr_names: tuple[str, ...]

    @property
    def key(self) -> str:
        """What opens, at this moment; "" = nothing does. Raises PlayheadError."""

    async def ask(self, request: ScanRequest) -> int:
        """Store a job. Raises NowhereToScan, PlayheadError."""

    async def take_post(
        self, sender: str, body: bytes, headers: Mapping[str, str], name: str = ""
    ) -> tuple[ArrivalPost, list[int]]:
        """Store the jobs that a program's post says; ``name`` is what the hub calls it, "" = not told. Raises BadAnswer,
        PlayheadError."""

    def map_trigger(self, path: str) -> str:
        """Another program's path in the hub's words."""

    def load(self, number: int) -> Job | None:
        """A job."""

    def list_newest(self, limit: int) -> list[Job]:
        """The newest ones."""


class ScanApp:
    """The ASGI application. ``find`` gives what answers now, None while the hub starts."""

    def __init__(
        self,
        find: Callable[[], Scanning | None],
        *,
        largest_body: int = LARGEST_BODY,
        largest_post: int = LARGEST_POST,
        body_within_s: float = BODY_WITHIN_S,
    ) -> None:
        self._find = find
        self._largest_body = largest_body
        self._largest_post = largest_post
        self._body_within_s = body_within_s

    @staticmethod
    def takes(scope: Scope) -> bool:
        """Whether a request is meant for this application."""
        addresses = ("/api/v1/scans", "/update/", "/triggers/")
        return scope["type"] == "http" and str(scope["path"]).startswith(addresses)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        plexlib = scope["path"].startswith("/update/")
        try:
            status, value = await self._answer(scope, receive, headers)
            if value is PAGE:
                await send_page(send, str(scope["path"]))
            else:
                await send_json(send, status, value, _place(value))
        except Refusal as refusal:
            await send_json(send, refusal.status, _say(plexlib, "refused", refusal.text), refusal.headers)
        except NowhereToScan as error:
            await send_json(send, 404, _say(plexlib, error.code, error.message, error.hint))
        except UsageError as error:
            await send_json(send, 409, _say(plexlib, error.code, error.message, error.hint))
        except PlayheadError as error:
            later = {b"retry-after": str(RETRY_AFTER_S).encode()}
            await send_json(send, 503, _say(plexlib, error.code, error.message, error.hint), later)

    async def _answer(self, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> tuple[int, Any]:
        scanning = self._find()
        if scanning is None:
            raise PlayheadError("The hub is starting.", hint="Try again in a moment.")
        query = read_fields(scope["query_string"])
        _check_key(scanning.key, headers, query)
        steps = _split(scope)
        read = self._read(receive, headers, _find_sender(steps, scanning) is not None)
        call = _Call(scanning, scope["method"], steps, query, headers, read)
        family = call.steps[0]
        if family == "api":
            return await _answer_api(call)
        if family == "update" and scanning.triggers.plexlib:
            return await _answer_plexlib(call)
        if family == "triggers":
            return await _answer_triggers(call)
        raise _nothing()

    def _read(self, receive: Receive, headers: Mapping[str, str], long: bool) -> Callable[[], Any]:
        largest = self._largest_post if long else self._largest_body
        return lambda: read_body(receive, headers, largest=largest, within_s=self._body_within_s)


class _Call(msgspec.Struct, frozen=True):
    scanning: Scanning
    method: str
    steps: list[str]
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    read: Callable[[], Any]

    def allow(self, *methods: str) -> None:
        """Refuse every other method."""
        if self.method not in methods:
            allowed = ", ".join(methods)
            raise Refusal(405, f"Only {allowed}.", {b"allow": allowed.encode()})


# -- the hub's own


async def _answer_api(call: _Call) -> tuple[int, Any]:
    rest = call.steps[3:]
    if call.steps[:3] != ["api", "v1", "scans"] or len(rest) > 1:
        raise _nothing()
    if rest:
        call.allow("GET")
        return 200, await _follow(call, rest[0])
    call.allow("GET", "POST")
    if call.method == "GET":
        limit = min(_read_number(call.query, "limit", 50), MOST_LISTED)
        jobs = await asyncio.to_thread(call.scanning.list_newest, int(limit))
        return 200, [describe_job(job) for job in jobs]
    posted = _decode(await call.read())
    request = ScanRequest(
        "api", posted.library or "", posted.name or "", tuple(posted.paths or ()), posted.gone,
        tuple(posted.connections),
    )  # fmt: skip
    return 202, _tell(await call.scanning.ask(request))


def _decode(body: bytes) -> PostedScan:
    try:
        posted = msgspec.json.decode(body, type=PostedScan)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"The body is not what was expected: {str(error)[:200]}.") from error
    if sum(each is not None for each in (posted.library, posted.name, posted.paths)) != 1:
        raise Refusal(400, "Give one of 'library', 'name' and 'paths'.")
    for path in posted.paths or ():
        _check_path(path)
    return posted


def _check_path(path: str) -> str:
    if not path or len(path) > 4096 or "\x00" in path or not (path.startswith("/") or is_windows(path)):
        raise Refusal(400, "A path is whole, such as /media/tv/Show/Season 1.")
    if ".." in path.replace("\\", "/").split("/"):
        raise Refusal(400, "A path does not step back by '..'.")
    return path


async def _follow(call: _Call, number: str) -> dict[str, Any]:
    """A job, at once or when it has ended or ``wait`` seconds have passed."""
    wait = min(_read_number(call.query, "wait", 0.0), LONGEST_WAIT_S)
    end = asyncio.get_running_loop().time() + wait
    while True:
        known = number.isascii() and number.isdigit() and len(number) < 18
        job = await asyncio.to_thread(call.scanning.load, int(number)) if known else None
        if job is None:
            raise Refusal(404, "There is no such scan, or none any more.")
        if job.ended_at is not None or asyncio.get_running_loop().time() >= end:
            return describe_job(job)
        await asyncio.sleep(LOOK_EVERY_S)


# -- PlexLib's


async def _answer_plexlib(call: _Call) -> tuple[int, Any]:
    if call.steps[1:] == ["from_name"]:
        call.allow("POST")
        form = read_form(await call.read(), call.headers)
        name = form.get("name", [""])[0]
        if not name or len(name) > 1024 or any(c in name for c in "/\\\x00"):
            raise Refusal(400, "Give the form field 'name': a bare file name.")
        number = await call.scanning.ask(ScanRequest("plexlib", name=name))
        return 202, {"success": True, "file_name": name, "task_id": str(number), **_tell(number)}
    if len(call.steps) != 2 or not call.steps[1]:
        raise _nothing()
    call.allow("GET", "POST")
    number = await call.scanning.ask(ScanRequest("plexlib", library=call.steps[1]))
    return 202, {"success": True, "section_name": call.steps[1], "task_id": str(number), **_tell(number)}


# -- autoscan's


async def _answer_triggers(call: _Call) -> tuple[int, Any]:
    if call.steps[1:] == ["manual"] and call.scanning.triggers.autoscan:
        return await _answer_manual(call)
    if call.steps[1:2] == ["a-train"] and len(call.steps) == 3 and call.scanning.triggers.autoscan:
        return await _answer_train(call)
    if (name := _find_sender(call.steps, call.scanning)) is not None:
        call.allow("POST", "PUT")
        try:
            told = call.query.get("sender", [""])[0]
            post, numbers = await call.scanning.take_post(name, await call.read(), call.headers, told)
        except BadAnswer as error:
            raise Refusal(400, f"This is no webhook of {name}.") from error
        return 202, {"event": post.name, "known": post.known, "scans": [_tell(number) for number in numbers]}
    raise _nothing()


def _find_sender(steps: list[str], scanning: Scanning) -> str | None:
    """The program whose posts an address takes; None for every other address."""
    named = len(steps) == 2 and steps[0] == "triggers" and scanning.triggers.arr
    return steps[1] if named and steps[1] in scanning.arr_names else None


async def _answer_manual(call: _Call) -> tuple[int, Any]:
    call.allow("GET", "HEAD", "POST")
    told = _list_told(call.query)
    if call.method == "POST" and not told:
        told = _list_told(read_form(await call.read(), call.headers))
    if call.method == "HEAD" and not told:
        return 200, None
    if call.method == "GET" and not told and "text/html" in call.headers.get("accept", ""):
        return 200, PAGE
    if not 0 < len(told) <= MOST_PATHS:
        raise Refusal(400, "Give one or more folders or files: ?dir=/media/tv/Show&dir=...")
    paths = tuple(call.scanning.map_trigger(_check_path(path)) for path in told)
    answer = _tell(await call.scanning.ask(ScanRequest("autoscan", paths=paths)))
    return 202, None if call.method == "HEAD" else answer


def _list_told(fields: Mapping[str, list[str]]) -> list[str]:
    """autoscan's ``dir``, autopulse's ``path``."""
    return [*fields.get("dir", ()), *fields.get("path", ())]


async def _answer_train(call: _Call) -> tuple[int, Any]:
    """a-train's changes of a drive: what came, and what went."""
    call.allow("POST")
    changes = read_changes(await call.read())
    if len(changes.created) + len(changes.deleted) > MOST_PATHS:
        raise Refusal(400, f"More than {MOST_PATHS} paths.")
    numbers: list[int] = []
    nowhere: NowhereToScan | None = None
    for told, gone in ((changes.created, False), (changes.deleted, True)):
        paths = tuple(call.scanning.map_trigger(_check_path(path)) for path in told)
        try:
            numbers += (
                [await call.scanning.ask(ScanRequest("a-train", paths=paths, gone=gone))] if paths else []
            )
        except NowhereToScan as error:
            nowhere = error
    if nowhere is not None and not numbers:
        raise nowhere
    return 202, {"scans": [_tell(number) for number in numbers]}


# -- what they share


def _check_key(key: str, headers: Mapping[str, str], query: Mapping[str, list[str]]) -> None:
    """The key in ``X-Api-Key``, as a bearer token, as the password of any user, or for old tools in the query."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    told = [headers.get("x-api-key", ""), *query.get("apikey", ())[:1]]
    if scheme.casefold() == "bearer":
        told.append(token.strip())
    if scheme.casefold() == "basic":
        told.append(_read_password(token))
    if not key or not any(hmac.compare_digest(key.encode(), each.encode()) for each in told):
        raise Refusal(
            401,
            "The key is missing or wrong: playhead api-key show.",
            {b"www-authenticate": b'Basic realm="Playhead"'},
        )


def _read_password(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _read_number(query: Mapping[str, list[str]], name: str, default: float) -> float:
    try:
        number = float(query.get(name, [str(default)])[0])
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e6:
        raise Refusal(400, f"'{name}' is a number of 0 or more.")
    return number


def _split(scope: Scope) -> list[str]:
    """The address step by step; a stroke that is written %2F belongs to a name."""
    steps = scope["raw_path"].decode("latin-1").strip("/").split("/")
    return [unquote(step, errors="replace") for step in steps]


def _tell(number: int) -> dict[str, Any]:
    return {"id": number, "url": f"/api/v1/scans/{number}"}


def _place(value: Any) -> dict[bytes, bytes]:
    url = value.get("url", "") if isinstance(value, dict) else ""
    return {b"location": quote(url).encode()} if url else {}


def _say(plexlib: bool, code: str, message: str, hint: str = "") -> dict[str, Any]:
    if plexlib:
        return {"success": False, "error": code, "message": f"{message} {hint}".strip()}
    return {"error": code, "message": message, "hint": hint} if hint else {"error": code, "message": message}


def _nothing() -> Refusal:
    return Refusal(404, "There is nothing here.")
