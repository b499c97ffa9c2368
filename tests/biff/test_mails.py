"""Which downloads a mail names, whoever wrote it and however it is encoded."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.biff.mails import MAIL_BYTES, NAMES_A_MAIL, Download, find_downloads
from tests.biff.mailbox import CASES, SYNOLOGY, Case, write_html_mail, write_mail

ENCODINGS = ("quoted-printable", "base64", "8bit")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", CASES)
def test_a_mail_names_its_downloads(name: str, encoding: str) -> None:
    """In every transfer encoding; a failed download and a person's mail name none."""
    case = CASES[name]
    assert find_downloads(write_mail(case, encoding)) == (case.source, case.downloads)


@pytest.mark.parametrize("alternative", [True, False], ids=["beside a plain text", "alone"])
@pytest.mark.parametrize("name", CASES)
def test_html_names_the_same(name: str, alternative: bool) -> None:
    """A mail in HTML is read as its reader sees it, also where a plain text beside it says nothing."""
    case = CASES[name]
    assert find_downloads(write_html_mail(case, alternative=alternative)) == (case.source, case.downloads)


def test_a_table_of_labels_and_values_is_understood() -> None:
    """Cells stand for lines."""
    page = (
        b"Subject: Synology\nContent-Type: text/html\n\n<table><tr><td>File:</td><td>A &amp; B.mkv</td></tr>"
        b"<tr><td>Location:</td><td>Video</td></tr></table>"
    )
    assert find_downloads(page) == ("Download Station", [Download("A & B.mkv", "Video")])


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-8", "cp1252"])
def test_charsets_are_obeyed(charset: str) -> None:
    """As the mail declares them."""
    case = CASES["qbittorrent, French"]
    assert find_downloads(write_mail(case, "base64", charset))[1] == case.downloads


@pytest.mark.parametrize("declared", ["", "; charset=x-nobody-knows", "; charset=us-ascii"])
@pytest.mark.parametrize("charset", ["utf-8", "cp1252"])
def test_a_wrong_or_missing_charset_is_made_good(declared: str, charset: str) -> None:
    """UTF-8 where it is that, else Windows' western letters."""
    mail = f"Subject: Synology\nContent-Type: text/plain{declared}\n\nFile:\nAmélie.mkv\n".encode(charset)
    assert find_downloads(mail)[1] == [Download("Amélie.mkv")]


def test_an_encoded_subject_is_read() -> None:
    """RFC 2047 words, where the name stands in the subject alone."""
    mail = b"Subject: =?utf-8?q?=5BqBittorrent=5D_=27Am=C3=A9lie=27_has_finished_downloading?=\n\nBye.\n"
    assert find_downloads(mail) == ("qBittorrent", [Download("Amélie")])


def test_a_body_without_headers_and_an_mbox_line_are_no_hindrance() -> None:
    """What some filters hand over."""
    expected = CASES["synology"].downloads
    assert find_downloads(SYNOLOGY.encode())[1] == expected
    assert (
        find_downloads(b"From nas Mon Jan  1 00:00:00 2024\n" + write_mail(CASES["synology"]))[1] == expected
    )
    assert find_downloads(write_mail(CASES["synology"]).replace(b"\n", b"\r\n"))[1] == expected


def test_a_pattern_of_ones_own_goes_first() -> None:
    """Its groups are the name and, if it has one, the folder."""
    pattern = re.compile(r"^ready: (?P<folder>\S+) / (?P<name>.+)$", re.M)
    mail = write_mail(Case("x", "ready: /tv / Fallout S01E01.mkv\nready: /tv / Fallout S01E02.mkv\n", "", []))
    assert find_downloads(mail, [pattern]) == (
        "your pattern",
        [Download("Fallout S01E01.mkv", "/tv"), Download("Fallout S01E02.mkv", "/tv")],
    )


@pytest.mark.parametrize(
    ("told", "plain"),
    [
        ("Season 1/Episode.mkv", Download("Episode.mkv", "Season 1")),
        ("Season 1\\Episode.mkv", Download("Episode.mkv", "Season 1")),
        ("A Folder/", Download("A Folder")),
        ("../../etc/passwd", Download("passwd", "../../etc")),
        ("..", None),
        ("x" * 256, None),
        ("é" * 128, None),
        ("bell\x07.mkv", None),
    ],
)
def test_only_what_can_be_a_files_name_is_posted(told: str, plain: Download | None) -> None:
    """A bare name of at most 255 bytes without control characters."""
    found = find_downloads(b"TR_TORRENT_NAME=" + told.encode())[1]
    assert found == ([plain] if plain else [])


def test_huge_mails_are_bounded() -> None:
    """A line without end, a million parts, a hundred thousand names, a thousand boxes in boxes: read in part, without trouble."""
    assert find_downloads(b"Subject: Synology\n\nFile:\n" + b"x" * MAIL_BYTES) == ("", [])
    names = b"".join(b"TR_TORRENT_NAME=%d.mkv\n" % number for number in range(100_000))
    assert len(find_downloads(b"Subject: x\n\n" + names)[1]) == NAMES_A_MAIL
    parts = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 50_000
    assert find_downloads(parts) == ("", [])
    assert find_downloads(b"Subject: x\nContent-Type: text/html\n\n" + b"<" * 500_000) == ("", [])


@given(st.binary(max_size=2000))
def test_no_bytes_trouble_it(raw: bytes) -> None:
    """Whatever comes in, there is an answer."""
    source, downloads = find_downloads(raw)
    assert bool(source) == bool(downloads)


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=40).map(
        str.strip
    ),
    st.sampled_from(ENCODINGS),
)
def test_any_name_comes_through_as_it_was(name: str, encoding: str) -> None:
    """Of any script, in any encoding."""
    name = name.replace("/", "").replace("\\", "").strip()
    if name in ("", ".", "..") or not name.isprintable():
        return
    mail = write_mail(Case("x", f"TR_TORRENT_NAME={name}\n", "", []), encoding)
    assert find_downloads(mail)[1] == [Download(name)]
