"""HTTP to one backend: one session, errors mapped to ``ports.errors``, safe reads retried, the server's clock noted.

Knows no API. A request that only reads is tried again (with growing pauses and Retry-After obeyed); a write is sent
once, and the caller learns whether it may have taken effect.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec
import stamina
import xxhash
from aiohttp import hdrs
from isal import isal_zlib
from stamina.instrumentation import RetryDetails, set_on_retry_hooks
from yarl import URL

from playhead.kit.log import Log
from playhead.kit.redact import redact
from playhead.ports.errors import (
    BackendError,
    BadAnswer,
    Interrupted,
    NotFound,
    RateLimited,
    Refused,
    ServerFault,
    TokenRefused,
    Unauthorized,
    Unreachable,
    UsageError,
    WrongServer,
)

aiohttp.set_zlib_backend(isal_zlib)  # unpacks lists in half the time; measured: facts, stack.md 2

log = Log(__name__)


def _log_retry(details: RetryDetails) -> None:
    log.warning(
        "retry",
        number=details.retry_num,
        caused_by=repr(details.caused_by),
        wait_s=round(details.wait_for, 2),
    )


set_on_retry_hooks([_log_retry])

Params = Mapping[str, str | int]
READ_ATTEMPTS = 4
LONGEST_PAUSE_S = 30.0
LONGEST_HEADER = 64 * 1024  # proxies in front add long ones, of what a page may load
LONGEST_WISH_S = 86_400.0  # of a server that asks to slow down


class Answer(msgspec.Struct, frozen=True):
    """A whole answer: 2xx status, headers, the body's bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """Requests to one server on behalf of one account.

    ``title`` stands in messages ("Plex at 10.0.0.5:32400"); ``sign_in_hint`` is the next thing to try when the
    token is refused. ``headers`` go with every request; tokens belong there and never into a URL.
    """

    def __init__(
        self,
        base_url: str,
        *,
        title: str,
        headers: Mapping[str, str],
        sign_in_hint: str = "",
        timeout_s: float = 60.0,
        connect_timeout_s: float = 10.0,
        verify_tls: bool = True,
        read_attempts: int = READ_ATTEMPTS,
    ) -> None:
        self.base = _parse_base(base_url, title)
        if self.base.user is not None and any(name.lower() == "authorization" for name in headers):
            raise UsageError(
                f"{title} cannot be reached with a name and password in its address.",
                hint="Leave them out: its own sign-in travels in the same header. A proxy in front must let the hub pass.",
            )
        self.title = title
        self.sign_in_hint = sign_in_hint
        self.clock_skew_s: float | None = None
        self._headers = dict(headers)
        if _is_loopback(self.base.host or ""):
            self._headers.setdefault(
                hdrs.ACCEPT_ENCODING, "identity"
            )  # packing costs more than it saves there
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=connect_timeout_s)
        self._verify_tls = verify_tls
        self._read_attempts = read_attempts
        self._session: aiohttp.ClientSession | None = None

    async def read(
        self,
        path: str,
        params: Params | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        expect: str = "json",
        attempts: int | None = None,
    ) -> Answer:
        """GET, tried again while that makes sense. ``expect`` "json" refuses HTML; "any" takes everything."""
        answer: Answer | None = None
        async for attempt in self._attempts(attempts or self._read_attempts):
            with attempt:
                answer = await self._send(hdrs.METH_GET, path, params, headers=headers, safe=True)
                if expect == "json":
                    self._refuse_html(answer, path)
        assert answer is not None
        return answer

    async def write(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Sequence[tuple[str, str]] | None = None,
    ) -> Answer:
        """One request that may change something, sent exactly once. Raises Interrupted where it may have worked.

        ``method`` may be GET: Plex marks by GET, and such a request is a write all the same.
        """
        body = msgspec.json.encode(json) if json is not None else None
        extra = dict(headers or {})
        if form is not None:
            body = urlencode(form).encode()
            extra.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif body is not None:
            extra.setdefault("Content-Type", "application/json")
        answer = await self._send(method, path, params, headers=extra, body=body, safe=False)
        self._doubt_nonsense(answer, path)
        return answer

    async def close(self) -> None:
        """Close the session, if one was opened."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _attempts(self, attempts: int) -> AsyncIterator[Any]:
        return stamina.retry_context(
            on=_pause_before_retry,
            attempts=attempts,
            timeout=None,
            wait_initial=0.2,
            wait_max=5.0,
            wait_jitter=0.2,
        ).__aiter__()

    def make_session(self, **more: Any) -> aiohttp.ClientSession:
        """A session with this server's headers, patience and trust, for whoever closes it."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=8, ssl=self._verify_tls),
            timeout=self._timeout,
            headers=self._headers,
            auto_decompress=True,
            max_line_size=LONGEST_HEADER,
            max_field_size=LONGEST_HEADER,
            cookie_jar=aiohttp.DummyCookieJar(),
            **more,
        )

    def make_url(self, path: str, params: Params | None = None) -> URL:
        """The address of a route."""
        return self.base.joinpath(path.lstrip("/"), encoded=True).with_query(dict(params or {}))

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = self.make_session()
            # aiohttp sends GET, PUT and DELETE again by itself when the connection breaks, which would count a mark
            # twice; there is no public switch. test_http.py shows that a broken write is sent once.
            self._session._retry_connection = False
        return self._session

    async def _send(
        self,
        method: str,
        path: str,
        params: Params | None,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        safe: bool,
    ) -> Answer:
        url = self.make_url(path, params)
        with self.errors_told(safe=safe):
            async with self._open().request(
                method, url, data=body, headers=dict(headers or {}), allow_redirects=False
            ) as response:
                # Not response.read(): that keeps the bytes in the response, which is part of a reference cycle.
                payload = await response.content.read()
                self._note_clock(response.headers.get(hdrs.DATE))
                self._raise_for(response.status, response.headers, path)
                return Answer(response.status, response.headers, payload)

    @contextmanager
    def errors_told(self, *, safe: bool) -> Iterator[None]:
        """What goes wrong inside with the connection leaves as one of ``ports.errors``. ``safe``: nothing can have changed."""
        try:
            yield
        except BackendError:
            raise
        except aiohttp.ClientSSLError as error:
            if "WRONG_VERSION_NUMBER" in str(error):
                raise Unreachable(
                    f"{self.title} does not speak https.", hint="Give its address with http:// instead."
                ) from error
            raise Unreachable(
                f"{self.title} could not be trusted ({_reason(error)}).",
                hint="Use the name that its certificate is for, or set verify_tls to false if you know the server.",
            ) from error
        except (aiohttp.ClientConnectorError, aiohttp.InvalidURL, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable(
                f"{self.title} does not answer ({_reason(error)}).",
                hint="Is the server running, and are the address and port right?",
            ) from error
        except TimeoutError as error:
            raise self._broken(safe, f"took longer than {self._timeout.total:.0f} s to answer") from error
        except aiohttp.ClientPayloadError as error:
            raise self._broken(safe, "cut its answer short") from error
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
            raise self._broken(safe, f"broke the connection ({_reason(error)})") from error

    def _broken(self, safe: bool, what: str) -> BackendError:
        kind: type[BackendError] = Unreachable if safe else Interrupted
        return kind(f"{self.title} {what}.", hint="It is tried again on the next run.")

    def _raise_for(self, status: int, headers: Mapping[str, str], path: str) -> None:
        if status < 300:
            return
        if status in (301, 302, 303, 307, 308):
            # Not followed: the token would go to whoever stands there.
            raise WrongServer(
                f"{self.title} sends us on to {redact(headers.get(hdrs.LOCATION, 'nowhere'))}.",
                hint="If that is the server, connect with that address; a sign-in page in front must let the hub pass.",
            )
        if status == 401:
            raise TokenRefused(f"{self.title} refused the token.", hint=self.sign_in_hint)
        if status == 403:
            raise Unauthorized(f"{self.title} does not allow this account {path}.", hint=self.sign_in_hint)
        if status == 404:
            raise NotFound(
                f"{self.title} does not know {path}.",
                hint="It was removed or replaced there, or the address leads to another product.",
            )
        if status == 429:
            raise RateLimited(
                f"{self.title} asks to slow down.",
                hint="Playhead waits and goes on by itself.",
                retry_after_s=parse_retry_after(headers.get(hdrs.RETRY_AFTER), headers.get(hdrs.DATE)),
            )
        if status == 503:
            raise ServerFault(
                f"{self.title} is not ready ({status} on {path}).",
                hint="If it is starting, wait a minute and try again; else look at its own log.",
            )
        if status >= 500:
            raise ServerFault(
                f"{self.title} failed with {status} on {path}.",
                hint="Look at the server's own log, then try again.",
            )
        raise Refused(
            f"{self.title} refused {path} with {status}.", hint="Run again with -v to see the request."
        )

    def _refuse_html(self, answer: Answer, path: str) -> None:
        if answer.body[:200].lstrip().startswith((b"<?xml", b"<MediaContainer")):
            raise BadAnswer(
                f"{self.title} answered {path} in XML instead of JSON.",
                hint="Does a proxy in front take the header Accept away? It must let it pass.",
            )
        kind = answer.headers.get(hdrs.CONTENT_TYPE, "")
        if "html" in kind or answer.body.lstrip()[:1] == b"<":
            raise BadAnswer(
                f"{self.title} answered {path} with a web page instead of data.",
                hint="Is the address that of the server itself, not of a login page or another service?",
            )

    def _doubt_nonsense(self, answer: Answer, path: str) -> None:
        """A 2xx to a write that carries a web page or broken JSON was not said by the server: look before believing."""
        kind, body = answer.headers.get(hdrs.CONTENT_TYPE, ""), answer.body.strip()
        nonsense = (bool(body) and "html" in kind) or body[:14].lower().startswith(
            (b"<!doctype html", b"<html")
        )
        if not nonsense and body and "json" in kind:
            try:
                msgspec.json.decode(body, type=msgspec.Raw)
            except (msgspec.DecodeError, UnicodeDecodeError):
                nonsense = True
        if nonsense:
            raise Interrupted(
                f"{self.title} answered {path} with something that is not its own.",
                hint="Is there a proxy or a sign-in page in front? Playhead looks at the item before it tries again.",
            )

    def _note_clock(self, date: str | None) -> None:
        if date:
            theirs = _read_http_date(date)
            self.clock_skew_s = None if theirs is None else theirs - time.time()


def _parse_base(base_url: str, title: str) -> URL:
    try:
        base = URL(base_url.strip().rstrip("/"))
        usable = base.scheme in ("http", "https") and base.host is not None
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            f"{redact(base_url)!r} is not an address for {title}.",
            hint="Write it like http://10.0.0.5:32400.",
        )
    return base


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _pause_before_retry(error: Exception) -> bool | float:
    if isinstance(error, RateLimited):
        return min(error.retry_after_s or 1.0, LONGEST_PAUSE_S)
    return isinstance(error, (Unreachable, ServerFault, BadAnswer))


def hash_body(body: bytes) -> int:
    """xxh3-64 of an answer's bytes, as a signed number that any database can keep."""
    return xxhash.xxh3_64_intdigest(body) - (1 << 63)


def parse_retry_after(value: str | None, date: str | None = None) -> float | None:
    """Seconds from a Retry-After header (seconds or an HTTP date), a day at most; None when absent or unreadable.

    ``date`` is the answer's own: a date is a wish on the server's clock, which may be wrong.
    """
    if not value:
        return None
    if value.strip().isdecimal() and value.isascii():
        return min(float(value), LONGEST_WISH_S)
    until, now = _read_http_date(value), _read_http_date(date)
    if until is None:
        return None
    return min(max(0.0, until - (now if now is not None else time.time())), LONGEST_WISH_S)


def _read_http_date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None


def _reason(error: BaseException) -> str:
    text = str(getattr(error, "os_error", None) or error) or type(error).__name__
    return text.splitlines()[0][:120]
