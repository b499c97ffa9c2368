"""Settings: every mistake is named with its place, and edits keep what a person wrote."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from playhead.adapters import find_manifests
from playhead.kit.address import normalise_url
from playhead.library_settings import LibraryChoice
from playhead.ports.errors import UsageError
from playhead.runtime import settings_file
from playhead.runtime.home import Home, find_home
from playhead.runtime.settings_file import SettingsFile, put_connection, put_people
from playhead.settings import AccountSettings, ConnectionSettings

PLEX = """\
  Plex:  # the one in the living room
    kind: plex
    url: http://10.0.0.5:32400
    user: alex
    user_id: "1"
    person: alex
    token: store:plex
"""
SERVER = "    server_id: abc\n"
WITH_SAM = (
    "connections:\n"
    + PLEX
    + SERVER
    + """\
    accounts:  # the rest of the house
      - user: sammy
        user_id: '3164'
        person: sam  # our youngest
        token: store:sam
"""
)
GOOD = "version: 1\n# mine\nconnections:\n" + PLEX + "guards:\n  max_removal_share: 0.1  # careful\n"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def write(home: Home, text: str) -> SettingsFile:
    home.prepare()
    home.settings.write_text(text)
    return SettingsFile(home)


def connection(**changes: object) -> ConnectionSettings:
    plain = {
        "kind": "emby",
        "url": "http://e:8096",
        "user": "a",
        "user_id": "x",
        "person": "alex",
        "token": "env:T",
    }
    return ConnectionSettings(**(plain | changes))  # type: ignore[arg-type]


def test_without_a_file_the_defaults_hold(home: Home) -> None:
    """Nothing is written by reading."""
    settings = SettingsFile(home).load()
    assert settings.guards.max_removals_without_question == 5
    assert settings.progress.watched_threshold == 0.9
    assert not home.path.exists()


def test_what_is_not_given_keeps_its_default(home: Home) -> None:
    """A part that is set does not unset its neighbours."""
    settings = write(home, GOOD).load()
    assert settings.guards.max_removal_share == 0.1
    assert settings.guards.max_shrink_share == 0.2
    assert settings.connections["Plex"].read is True
    assert settings.first_person() == "alex"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("connections: [\n", "line 2, column 1"),
        ("connections:\n  a: b: c\n", "line 2, column 7"),
        ("- 1\n", "is not a mapping"),
        ("conections: {}\n", "line 1: conections is not known"),
        ("connections: 3\n", "line 1: connections is not a mapping"),
        ("version: 7\n", "line 1: version is 7"),
        (GOOD.replace("kind: plex", "kynd: plex"), "line 5: connections.Plex.kynd is not known"),
        (GOOD + "  max_shrink_share: lots\n", "line 13: guards.max_shrink_share is wrong"),
        (
            GOOD.replace("url: http://10.0.0.5:32400", "url: 10.0.0.5"),
            "line 6: connections.Plex.url is wrong",
        ),
        (GOOD.replace("    user: alex\n", ""), "line 4: connections.Plex lacks 'user'"),
        (GOOD.replace("store:plex", "abcdef"), "never the token itself"),
        (GOOD + "people: sam\n", "line 13: people is not a list of names"),
        (
            WITH_SAM.replace("        person: sam  # our youngest\n", ""),
            "connections.Plex.accounts[0] lacks 'person'",
        ),
        (WITH_SAM.replace("store:sam", "abcdef"), "connections.Plex.accounts[0].token is wrong"),
        (
            WITH_SAM.replace("'3164'", "'1'"),
            "connections.Plex.accounts[0].user_id names the login 'sammy' a second",
        ),
        (
            WITH_SAM + PLEX.replace("Plex", "Again").replace("person: alex", "person: sam") + SERVER,
            "connections.Again.person gives 'alex' to sam, who is alex's elsewhere in this file",
        ),
        (WITH_SAM.replace("        token: store:sam\n", ""), "accounts[0] lacks 'token'"),
        (WITH_SAM.replace("store:sam", "store:plex"), "accounts[0].token is the token of another login"),
        (GOOD.replace("    person: alex\n", "    person: alex\n    read: maybe\n"), "Allowed: true or false"),
        (GOOD + "schedule:\n  sync: hourly\n", "line 14: schedule.sync is wrong"),
        (GOOD + "schedule:\n  full: 0 3 * *\n", "cron's five fields"),
        (
            GOOD.replace("    person: alex\n", "    person: alex\n    schedule:\n      sync: 5\n"),
            "line 11: connections.Plex.schedule.sync is wrong",
        ),
        (GOOD + "serve:\n  port: 99999\n", "line 14: serve.port is wrong"),
        (GOOD + "serve:\n  base_url: hub\n", "an address such as"),
    ],
)
def test_a_mistake_is_named_with_its_place(home: Home, text: str, expected: str) -> None:
    """One line: the file, the line, what is wrong and what is allowed."""
    write(home, text)
    with pytest.raises(UsageError) as caught:
        SettingsFile(home, find_manifests).load()
    assert expected in str(caught.value)
    assert str(home.settings) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


SHARED = (
    WITH_SAM
    + """\
      - user: family
        user_id: '77'
        person: {0}
        token: store:family
        shared: {2}
      - user: family
        user_id: '77'
        person: {1}
        token: store:family
        shared: true
"""
)


def test_a_shared_login_stands_once_for_each_of_its_persons(home: Home) -> None:
    """With one token for all of them; each part has a key of its own."""
    text = SHARED.format("alex", "sam", "true")
    logins = write(home, text).load().connections["Plex"].linked()
    assert [(login.person, login.shared) for login in logins[-2:]] == [("alex", True), ("sam", True)]
    assert len({login.key for login in logins}) == len(logins) == 4


@pytest.mark.parametrize(("one", "other", "shared"), [("sam", "sam", "true"), ("alex", "sam", "false")])
def test_what_is_not_shared_stands_once(home: Home, one: str, other: str, shared: str) -> None:
    """Neither twice for one person nor beside somebody whose own it is."""
    with pytest.raises(UsageError, match="names the login 'family' a second time"):
        write(home, SHARED.format(one, other, shared)).load()


def test_an_edit_keeps_comments_and_order(home: Home) -> None:
    """Only what changed is written anew."""
    file = write(home, GOOD)
    file.edit(lambda document: put_connection(document, "Emby", connection(), None))
    text = home.settings.read_text()
    assert "# mine" in text
    assert "# the one in the living room" in text
    assert "0.1  # careful" in text
    assert list(file.load().connections) == ["Plex", "Emby"]


def test_the_first_connection_is_written_into_a_new_file(home: Home) -> None:
    """The new file explains itself and only its owner reads it."""
    file = SettingsFile(home)
    file.edit(lambda document: put_connection(document, "Emby", connection(), None))
    assert home.settings.read_text().startswith("# Playhead's settings.")
    assert home.settings.stat().st_mode & 0o777 == 0o600
    assert file.load().connections["Emby"] == connection()


def test_a_connection_can_be_renamed_in_its_place(home: Home) -> None:
    """Its place in the file stays."""
    file = write(home, GOOD)
    file.edit(lambda document: put_connection(document, "Emby", connection(), None))
    changed = file.edit(lambda document: put_connection(document, "Den", connection(write=False), "Plex"))
    assert list(changed.connections) == ["Den", "Emby"]
    assert changed.connections["Den"].write is False


def test_a_wrong_edit_changes_nothing(home: Home) -> None:
    """What would not load is not written."""
    file = write(home, GOOD)
    with pytest.raises(UsageError):
        file.edit(lambda document: document.update({"version": 99}))
    assert home.settings.read_text() == GOOD


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("10.0.0.5", "http://10.0.0.5:32400"),
        ("10.0.0.5:1234/", "http://10.0.0.5:1234"),
        (" https://Plex.Example/ ", "https://plex.example"),
        ("http://nas.local/jellyfin/", "http://nas.local/jellyfin"),
        ("http://nas:8096/web/index.html#!/home", "http://nas:8096"),
        ("[::1]:32400", "http://[::1]:32400"),
    ],
)
def test_addresses_are_brought_into_one_form(given: str, expected: str) -> None:
    """As people type them, or copy them from the browser."""
    assert normalise_url(given, default_port=32400) == expected


@pytest.mark.parametrize("given", ["", "ftp://nas", "http://", "http://nas:99999", "two words"])
def test_what_is_no_address_is_refused(given: str) -> None:
    """Before anybody is asked."""
    with pytest.raises(UsageError):
        normalise_url(given)


def test_libraries_are_chosen_by_title_or_id() -> None:
    """Upper and lower case alike; what is excluded wins."""
    choice = LibraryChoice(include=["movies", "7"], exclude=["Kids"])
    assert choice.takes("1", "Movies")
    assert choice.takes("7", "Shows")
    assert not choice.takes("8", "Music videos")
    assert not LibraryChoice(exclude=["kids"]).takes("3", "Kids")
    assert LibraryChoice().takes("9", "Anything")


def test_the_home_folder_is_found_in_order(tmp_path: Path) -> None:
    """--home before PLAYHEAD_HOME before the platform's place."""
    assert find_home(tmp_path / "a", {"PLAYHEAD_HOME": "/b"}).path == tmp_path / "a"
    assert find_home(None, {"PLAYHEAD_HOME": str(tmp_path)}).path == tmp_path
    assert find_home(None, {}).path.name == "playhead"


def test_a_schedule_can_be_a_connections_own(home: Home) -> None:
    """What it does not say has its default; without one the connection goes with the others."""
    text = GOOD.replace("    person: alex\n", "    person: alex\n    schedule: {sync: '', at_start: false}\n")
    settings = write(home, text + "schedule: {full: '5 4 * * 0'}\n").load()
    assert (settings.schedule.sync, settings.schedule.full) == ("*/15 * * * *", "5 4 * * 0")
    own = settings.connections["Plex"].schedule
    assert own is not None
    assert (own.sync, own.full, own.at_start) == ("", "0 3 * * *", False)
    assert write(home, GOOD).load().connections["Plex"].schedule is None


def test_a_connection_has_one_login_or_several(home: Home) -> None:
    """Its own first; a further one without a token is served by the connection's own; nobody's is not linked."""
    text = WITH_SAM.replace("kind: plex", "kind: emby").replace("        token: store:sam\n", "")
    found = write(home, text).load()
    logins = found.connections["Plex"].logins()
    assert [(login.user_id, login.person, login.token) for login in logins] == [
        ("1", "alex", "store:plex"),
        ("3164", "sam", "store:plex"),
    ]
    assert found.persons() == ["alex", "sam"]
    assert found.find_person("SAM") == "sam"
    alone = write(home, text.replace("person: alex", "person: ''") + "people: [robin, Sam]\n").load()
    assert [login.person for login in alone.connections["Plex"].linked()] == ["sam"]
    assert alone.persons() == ["sam", "robin"]


def test_edits_of_the_logins_keep_what_is_written_beside_them(home: Home) -> None:
    """One is added, one changed, one goes; the comments of those that stay are there."""
    file = write(home, WITH_SAM)
    sam = AccountSettings(user="samuel", user_id="3164", person="sam", token="store:sam")
    kim = AccountSettings(user="kim", user_id="77", person="kim", token="env:KIM")
    old = file.load().connections["Plex"]

    def put(*accounts: AccountSettings) -> str:
        new = msgspec.structs.replace(old, accounts=list(accounts))
        assert (
            file.edit(lambda document: put_connection(document, "Plex", new, "Plex")).connections["Plex"]
            == new
        )
        return home.settings.read_text()

    for text in (put(sam, kim), put(sam)):
        assert "accounts:  # the rest of the house" in text
        assert "user: samuel" in text
        assert "person: sam  # our youngest" in text
    assert "accounts" not in put()
    assert "# the one in the living room" in home.settings.read_text()


def test_who_has_no_login_yet_is_written_and_taken_out(home: Home) -> None:
    """The others' entries and comments stay."""
    file = write(home, GOOD + "people:\n  - robin  # from next door\n")
    assert file.edit(lambda document: put_people(document, ["robin", "kim"])).persons() == [
        "alex",
        "robin",
        "kim",
    ]
    assert "- robin  # from next door" in home.settings.read_text()
    file.edit(lambda document: put_people(document, []))
    assert "people" not in home.settings.read_text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("watch: /tv", "watch is not a list"),
        ("watch: [{folder: tv}]", "watch[0].folder"),
        ("watch: [{folder: /tv, polling: 0}]", "watch[0].polling"),
        ("watch: [{folder: /tv}, {folder: /films}, {folder: /tv/}]", "watch[0].folder is watched twice"),
        ("watch: [{folder: /tv}, {folder: /tv/new}]", "watch[1].folder is watched twice"),
        ("watch: [{folders: /tv}]", "watch[0].folders is not known"),
    ],
)
def test_a_watched_folder_stands_once_and_whole(home: Home, text: str, expected: str) -> None:
    """None within another, each with a path from the root on."""
    write(home, text + "\n")
    with pytest.raises(UsageError) as caught:
        SettingsFile(home, find_manifests).load()
    assert expected in str(caught.value)


def test_a_text_is_parsed_once_and_its_readers_share_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parsing takes longer than all the rest of a small command; what one reader does to its settings no other sees."""
    parsed: list[str] = []
    load = settings_file._load_document
    monkeypatch.setattr(settings_file, "_load_document", lambda text: parsed.append(text) or load(text))
    text = GOOD.replace(
        "    token: store:plex\n", "    token: store:plex\n    options: {plex_tv_url: http://tv}\n"
    )
    file = write(home, text + "# read by this test alone\n")
    file.load().connections["Plex"].options["plex_tv_url"] = "http://spoilt"
    assert SettingsFile(home).load().connections["Plex"].options == {"plex_tv_url": "http://tv"}
    assert len(parsed) == 1
    home.settings.write_text(text + "# and changed\n")
    assert file.load().connections["Plex"].options == {"plex_tv_url": "http://tv"}
    assert len(parsed) == 2
