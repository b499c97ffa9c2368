"""What targets get: mails as a mail reader reads them, posts as apprise makes them. Nothing leaves this machine."""

from __future__ import annotations

import base64

import pytest

from playhead.notices.sending import AppriseSender, split_addresses
from playhead.ports.errors import UsageError
from playhead.ports.notices import Message, Picture, TargetRefused, Words, name_target

from .mailroom import run_mail_server, run_receiver

PICTURE = Picture("poster1.jpg", "image/jpeg", b"\xff\xd8\xff jpeg")
WORDS = Words("New: Fjällräven – 鬼滅", "- Fjällräven\n", '<p>Fjällräven</p><img src="cid:poster1.jpg">')
MESSAGE = Message(WORDS, (PICTURE,), "7.1")


async def test_a_mail_is_what_a_mail_reader_wants() -> None:
    """A subject that is not ASCII, both texts, and the picture by the name to which the page refers."""
    with run_mail_server() as (inbox, port):
        await AppriseSender().send(
            f"mailto://127.0.0.1:{port}?from=hub@example.org&to=robin@example.org", MESSAGE
        )
    [(to, mail)] = inbox.mails
    assert to == ["robin@example.org"] and mail["to"] == "robin@example.org"
    assert mail["subject"] == WORDS.subject
    assert (
        mail["message-id"] == "<playhead.7.1@example.org>"
        and mail["from"].addresses[0].domain == "example.org"
    )
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None and page is not None
    assert plain.get_content().splitlines() == ["- Fjällräven"] and page.get_content().strip() == WORDS.html
    [related] = [part for part in mail.walk() if part.get_content_maintype() == "image"]
    assert related["content-id"] == "<poster1.jpg>" and related.get_content_disposition() == "inline"
    assert related.get_payload(decode=True) == PICTURE.data
    assert b"http" not in mail.as_bytes()


async def test_plain_words_make_a_plain_mail() -> None:
    """No HTML part where the template has none."""
    with run_mail_server() as (inbox, port):
        message = Message(Words("Plain", "- one\n"), (), "1")
        await AppriseSender().send(f"mailto://127.0.0.1:{port}?from=a@b.org&to=c@d.org", message)
    assert inbox.mails[0][1].get_content_type() == "text/plain"


async def test_whom_the_server_refused_gets_it_later_and_the_others_once() -> None:
    """Each of several recipients gets it once, though the mail is tried again."""
    with run_mail_server() as (inbox, port):
        inbox.refuses = {"kim@example.org"}
        address = f"mailto://127.0.0.1:{port}?from=hub@example.org&to=robin@example.org,kim@example.org"
        with pytest.raises(TargetRefused) as refused:
            await AppriseSender().send(address, MESSAGE)
        assert refused.value.taken == (name_target("robin@example.org"),)
        inbox.refuses = set()
        again = Message(WORDS, (PICTURE,), "7.1", refused.value.taken)
        await AppriseSender().send(address, again)
    assert [to for to, _ in inbox.mails] == [["robin@example.org"], ["kim@example.org"]]
    assert len({mail["message-id"] for _, mail in inbox.mails}) == 1


async def test_a_refused_login_says_so_and_not_the_password() -> None:
    """The next thing to try stands in the hint; no secret stands anywhere."""
    with run_mail_server() as (inbox, port):
        inbox.password = "right"
        with pytest.raises(TargetRefused) as refused:
            await AppriseSender().send(
                f"mailto://hub:hunter2@127.0.0.1:{port}?from=a@b.org&to=c@d.org", MESSAGE
            )
        assert "refused the login" in refused.value.message and "hunter2" not in str(refused.value)
        await AppriseSender().send(f"mailto://hub:right@127.0.0.1:{port}?from=a@b.org&to=c@d.org", MESSAGE)
    assert len(inbox.mails) == 1


async def test_a_server_that_is_away_is_an_error_that_says_where() -> None:
    """The mail is tried again later."""
    with run_mail_server() as (_, port):
        pass
    with pytest.raises(TargetRefused, match=f"127.0.0.1:{port}"):
        await AppriseSender().send(f"mailto://127.0.0.1:{port}?from=a@b.org&to=c@d.org", MESSAGE)


async def test_every_other_address_goes_through_apprise() -> None:
    """The words and a picture, as its service takes them."""
    with run_receiver() as receiver:
        await AppriseSender().send(f"json://127.0.0.1:{receiver.server_port}/hook", MESSAGE)
    [post] = receiver.posts
    assert post["title"] == WORDS.subject and "Fjällräven" in post["message"]
    assert base64.b64decode(post["attachments"][0]["base64"]) == PICTURE.data


async def test_a_target_that_answers_no_is_told_without_its_address() -> None:
    """Its kind alone is named."""
    with run_receiver() as receiver:
        receiver.status = 500
        with pytest.raises(TargetRefused) as refused:
            await AppriseSender().send(f"json://me:hunter2@127.0.0.1:{receiver.server_port}/hook", MESSAGE)
    assert "json" in refused.value.message and "hunter2" not in str(refused.value)


@pytest.mark.parametrize("address", ["", "hello", "nosuch://secret-thing", "mailto://"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    """Without repeating it."""
    with pytest.raises(UsageError) as refused:
        AppriseSender().check(address)
    assert "secret-thing" not in str(refused.value)


def test_a_secret_may_hold_several_addresses() -> None:
    """One on each line."""
    assert split_addresses("json://a\n  json://b\n") == ["json://a", "json://b"]
