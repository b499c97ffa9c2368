"""Targets by their apprise addresses. A mail is made here, with both texts and its pictures inside; everything else is apprise's.

Addresses hold passwords: none stands in a message, and apprise's own log is kept silent. Apprise is loaded at the first need.
"""

from __future__ import annotations

import asyncio
import logging
import smtplib
import tempfile
from email import policy
from email.message import EmailMessage
from email.utils import formataddr, formatdate
from pathlib import Path
from typing import Any

from playhead.ports.errors import UsageError
from playhead.ports.notices import Message, TargetRefused, name_target

KNOWN_AT = "Addresses look like mailtos://USER:PASSWORD@example.org?to=you@example.org; see https://appriseit.com/services/."
_POLICY = policy.SMTP.clone(cte_type="7bit")  # every server on the way takes that


class AppriseSender:
    """Meets ``ports.notices.Sends``."""

    def check(self, address: str) -> None:
        """Raises UsageError where an address is none that apprise knows. Sends nothing."""
        _open(address)

    async def send(self, address: str, message: Message) -> None:
        """Give a target a message. Raises TargetRefused."""
        await asyncio.to_thread(self._send, address, message)

    def _send(self, address: str, message: Message) -> None:
        from apprise.plugins.email.base import NotifyEmail

        target = _open(address)
        if type(target) is NotifyEmail:
            _send_mail(target, message)
        else:
            _send_other(target, message)


def split_addresses(text: str) -> list[str]:
    """The addresses in a secret: one on each line, or parted by blanks."""
    return text.split()


def _open(address: str) -> Any:
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    asset = apprise.AppriseAsset(app_id="Playhead", app_desc="Playhead", async_mode=False)
    scheme = address.partition(":")[0]
    try:
        target = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    except (TypeError, ValueError):
        target = None
    if target is None:
        raise UsageError(f"The address ({scheme[:20]}:...) is none that apprise knows.", hint=KNOWN_AT)
    return target


def _send_mail(target: Any, message: Message) -> None:
    from apprise.exception import AppriseException
    from apprise.plugins.email.smtp import AppriseSMTPController

    if not target.targets:
        raise TargetRefused("The mail's address names nobody.", hint=KNOWN_AT)
    where = f"{target.smtp_host}:{target.port}"
    try:
        with AppriseSMTPController(
            host=target.smtp_host, port=target.port, secure_mode=target.secure_mode, user=target.user,
            password=target.password, verify_certificate=target.verify_certificate,
            socket_connect_timeout=target.socket_connect_timeout,
        ) as smtp:  # fmt: skip
            body: Any = make_mail(target, message).as_bytes()
            everyone = dict.fromkeys([each for _, each in target.targets] + sorted({*target.cc, *target.bcc}))
            missing = [each for each in everyone if name_target(each) not in message.done]
            taken = [each for each in missing if smtp.sendmail(target.from_addr[1], [each], body)]
        if len(taken) < len(missing):
            raise TargetRefused(
                f"The mail server {where} refused the mail for {len(missing) - len(taken)} of {len(everyone)}.",
                hint="See its log.",
                taken=[name_target(each) for each in taken],
            )
    except smtplib.SMTPAuthenticationError as error:
        raise TargetRefused(
            f"The mail server {where} refused the login.", hint="Give it again: playhead notify add --replace"
        ) from error
    except smtplib.SMTPResponseException as error:
        raise TargetRefused(
            f"The mail server {where} answered {error.smtp_code}.", hint="See its log."
        ) from error
    except (OSError, smtplib.SMTPException, AppriseException) as error:
        raise TargetRefused(
            f"The mail server {where} could not be used ({type(error).__name__}).",
            hint="Is the address right?",
        ) from error


def make_mail(target: Any, message: Message) -> EmailMessage:
    """A mail with a plain part, an HTML part, and the pictures to which it refers."""
    mail = EmailMessage(policy=_POLICY)
    mail["Subject"] = message.words.subject
    mail["From"] = formataddr((target.from_addr[0] or "Playhead", target.from_addr[1]))
    mail["To"] = ", ".join(formataddr((name or "", address)) for name, address in target.targets)
    if target.cc:
        mail["Cc"] = ", ".join(sorted(target.cc))
    mail["Date"] = formatdate(localtime=True)
    if message.key:
        mail["Message-ID"] = f"<playhead.{message.key}@{target.from_addr[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.words.text)
    if message.words.html:
        mail.add_alternative(message.words.html, subtype="html")
        pages: Any = mail.get_payload()
        for picture in message.pictures:
            main, _, sub = picture.media_type.partition("/")
            pages[1].add_related(
                picture.data,
                main,
                sub or "jpeg",
                cid=f"<{picture.name}>",
                filename=picture.name,
                disposition="inline",
            )
    return mail


def _send_other(target: Any, message: Message) -> None:
    """Apprise cuts and splits as its service wants it; where pictures can go along, the first does."""
    import apprise

    with tempfile.TemporaryDirectory(prefix="playhead-") as folder:
        attach = None
        if message.pictures and target.attachment_support:
            path = Path(folder) / message.pictures[0].name
            path.write_bytes(message.pictures[0].data)
            attach = apprise.AppriseAttachment([str(path)])
        html = bool(message.words.html) and target.notify_format == apprise.NotifyFormat.HTML
        sender = apprise.Apprise(asset=target.asset)
        sender.add(target)
        taken = sender.notify(
            title=message.words.subject,
            body=message.words.html if html else message.words.text,
            body_format=apprise.NotifyFormat.HTML if html else apprise.NotifyFormat.TEXT,
            attach=attach,
        )
    if not taken:
        raise TargetRefused(
            f"The target ({target.url(privacy=True).partition(':')[0]}:...) did not take the notice.",
            hint="Is its address right, and is it up?",
        )
