"""``playhead notify``: rules are kept, their addresses are secret, and a test arrives."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from playhead.sandbox.run import SandboxHandle
from tests.faces.conftest import Cli
from tests.notices.mailroom import run_mail_server


@pytest.fixture
def rule(cli: Cli) -> None:
    assert cli("notify", "add", "family", "--to", "json://hub:hunter22@127.0.0.1:9/x").code == 0


def test_an_address_is_kept_secret(cli: Cli, home: Path, rule: None) -> None:
    """It stands in no file in clear, and no command shows it."""
    shown = [cli("notify", "list"), cli("notify", "list", "--json"), cli("notify", "test", "family", "-v")]
    assert not any("hunter22" in ran.out + ran.err for ran in shown)
    assert not any(b"hunter22" in path.read_bytes() for path in home.iterdir() if path.is_file())
    assert shown[2].code == 1 and "did not take" in shown[2].out


def test_a_test_is_a_mail(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address comes on standard input; what arrives is what preview shows, and says that it is a test."""
    with run_mail_server() as (inbox, port):
        address = f"mailto://127.0.0.1:{port}?from=hub@example.org&to=robin@example.org\n"
        monkeypatch.setattr("sys.stdin", io.StringIO(address))
        assert cli("notify", "add", "mails", "--to", "-", "--template", "plexlib").code == 0
        assert cli("notify", "test", "mails", "--dry-run").code == 0 and not inbox.mails
        assert cli("notify", "test", "mails").code == 0
    [(_, mail)] = inbox.mails
    assert mail["subject"] == "Test: New media in your Plex library"
    words = cli("notify", "preview", "mails", "--json").json
    first, _, *lines = mail.get_content().splitlines()
    assert first == "This is a test from Playhead: nothing of this is new."
    assert lines == words["text"].splitlines()
    assert "- Severance - s02e01 - Hello, Ms. Cobel" in words["text"]


def test_a_rule_is_replaced_only_where_that_is_said(cli: Cli, home: Path, rule: None) -> None:
    """And removed with its address."""
    again = cli("notify", "add", "family", "--to", "json://127.0.0.1:9")
    assert again.code == 2 and "--replace" in again.err
    assert cli("notify", "add", "family", "--to", "json://127.0.0.1:9", "--replace", "--upgrades").code == 0
    assert [each["upgrades"] for each in cli("notify", "list", "--json").json] == [True]
    assert cli("notify", "remove", "family", "--dry-run").code == 0 and cli("notify", "list", "--json").json
    assert cli("notify", "remove", "family").code == 0 and cli("notify", "list", "--json").json == []
    assert "notice" not in (home / "secrets.json").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "nonsense"], "none that apprise knows"),
        (["--to", "json://x", "--kind", "films"], "--kind is one of movies, episodes, other"),
        (["--to", "json://x", "--template", "nope"], "plexlib, standard"),
        (["--to", "json://x", "--connection", "Nope"], "no connection 'Nope'"),
        (["--to", "json://x", "--person", "Nope"], "no person 'Nope'"),
        (["--to", "env:NOT_THERE"], "NOT_THERE"),
    ],
)
def test_what_cannot_be_is_said_before_it_is_saved(cli: Cli, arguments: list[str], words: str) -> None:
    """Nothing is saved, and the next thing to try is told."""
    ran = cli("notify", "add", "x", *arguments)
    assert ran.code in (1, 2) and words in ran.err
    assert cli("notify", "list", "--json").json == []


def test_a_template_of_ones_own(cli: Cli, home: Path, rule: None) -> None:
    """From the home folder; a mistake is told with its file and line."""
    own = home / "templates" / "mine"
    own.mkdir(parents=True)
    (own / "subject.txt").write_text("{{ count }} for you")
    (own / "text.txt").write_text("{% for line in lines %}* {{ line.title }}\n{% endfor %}")
    assert cli("notify", "add", "mine", "--to", "json://x", "--template", "mine").code == 0
    assert cli("notify", "preview", "mine", "--json").json["subject"] == "4 for you"
    (own / "text.txt").write_text("\n{% for %}")
    broken = cli("notify", "preview", "mine")
    assert broken.code == 2 and "text.txt, line 2" in broken.err


def test_a_name_stands_once(cli: Cli, home: Path, rule: None) -> None:
    """A second one is told with its line."""
    with (home / "playhead.yaml").open("a") as settings:
        settings.write("  - name: Family\n    to: env:BOX\n")
    ran = cli("notify", "list")
    assert ran.code == 2 and "notices[1].name stands there twice" in ran.err


def test_a_library_that_no_server_has_is_told(cli: Cli, box: SandboxHandle) -> None:
    """It is saved all the same, for it may come."""
    cli("import")
    typo = cli("notify", "add", "x", "--to", "json://127.0.0.1:9", "--library", "Moveis")
    assert typo.code == 0
    assert "No library is called Moveis yet. There are: Movies, Shows." in typo.err
    right = cli("notify", "add", "y", "--to", "json://127.0.0.1:9", "--library", "movies")
    assert "warning" not in right.err


def test_the_mail_says_which_rule_sent_it(cli: Cli, rule: None) -> None:
    """So that whoever wants less of it knows what to ask for."""
    words = cli("notify", "preview", "family", "--json").json
    assert words["text"].endswith("-- \nSent by Playhead: rule family\n")
    assert "Sent by Playhead: rule family</p>" in words["html"]
