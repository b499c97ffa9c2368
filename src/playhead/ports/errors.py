"""The closed tree of errors that a backend may raise, each with a hint, a retry kind and a stable code.

Adapters and the kit map every failure to one of these; flows act on the class, faces print
``message`` and ``hint``. Nothing else may escape an adapter.
"""

from __future__ import annotations

from enum import StrEnum


class Retry(StrEnum):
    """When trying again makes sense."""

    never = "never"  # the same request will fail again until a person acts
    later = "later"  # the server or the network may recover
    unsure = "unsure"  # the request may have taken effect: look before trying again


class PlayheadError(Exception):
    """Something a person can understand and act on: what happened, and the next thing to try."""

    code = "error"
    retry = Retry.never

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(PlayheadError):
    """The command or a setting is wrong; nothing was done."""

    code = "usage"


class BackendError(PlayheadError):
    """A connection did not do what was asked."""

    code = "backend"


class Unreachable(BackendError):
    """No answer: name not found, refused, reset, timed out before anything was sent or received."""

    code = "unreachable"
    retry = Retry.later


class Interrupted(BackendError):
    """The connection broke after the request was sent; a write may have taken effect."""

    code = "interrupted"
    retry = Retry.unsure


class ServerFault(BackendError):
    """The server answered 5xx, or is starting up."""

    code = "server-fault"
    retry = Retry.unsure


class RateLimited(BackendError):
    """The server asked us to slow down. ``retry_after_s`` is its wish in seconds, if it said one."""

    code = "rate-limited"
    retry = Retry.later

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Unauthorized(BackendError):
    """The token is not (or no longer) accepted (401), or may not do this (403)."""

    code = "unauthorized"


class TokenRefused(Unauthorized):
    """The token itself is not (or no longer) accepted (401): nothing will be answered with it until there is another.
    ``told``: a person was told of it before."""

    def __init__(self, message: str, *, hint: str = "", told: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.told = told


class NotFound(BackendError):
    """The item, user or route does not exist there (404)."""

    code = "not-found"


class Refused(BackendError):
    """The server understood the request and rejects it (other 4xx)."""

    code = "refused"


class BadAnswer(BackendError):
    """The answer is not what the API promises: HTML for JSON, a cut body, wrong types, a wrong count."""

    code = "bad-answer"
    retry = Retry.later


class WrongServer(BackendError):
    """Something answers there, but it is another product, or another server than the one connected."""

    code = "wrong-server"
