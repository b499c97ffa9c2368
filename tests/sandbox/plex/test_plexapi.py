"""A third-party client that real people use: python-plexapi against the emulated server and plex.tv."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from plexapi.exceptions import NotFound, Unauthorized
from plexapi.myplex import MyPlexAccount, MyPlexPinLogin
from plexapi.server import PlexServer
from requests.adapters import HTTPAdapter

from playhead.sandbox.run import SandboxHandle, run_world_in_thread
from playhead.sandbox.world import World, WorldLibrary, WorldServer, WorldUser
from tests.judges.openapi import check, covers
from tests.sandbox.plex.conftest import find_document
from tests.sandbox.plex.worlds import MATRIX, NOW, make_world


@pytest.fixture
def box() -> Iterator[SandboxHandle]:
    with run_world_in_thread(make_world()) as running:
        yield running


def judge(response: requests.Response, *_: Any, **__: Any) -> None:
    """Every exchange of the client goes by the maker's document, where that has the route."""
    document, url = find_document(), urlsplit(response.url)
    method = response.request.method or "GET"
    if document is None or not covers(document, method, url.path):
        return
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    kind = response.headers.get("Content-Type")
    wrong = check(document, method, url.path, query, response.status_code, kind, response.content)
    # Arguments of older servers that the client still sends are its own affair.
    assert [text for text in wrong if ": query " not in text] == []


def connect(box: SandboxHandle, user: str) -> PlexServer:
    session = requests.Session()
    session.hooks["response"].append(judge)
    return PlexServer(box.url("plex"), box.token("plex", user), session=session)


class PlexTvAdapter(HTTPAdapter):
    """Sends what is meant for plex.tv to the emulated one."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://plex.tv", self._url)
        return super().send(request, *args, **kwargs)


def plextv_session(box: SandboxHandle) -> requests.Session:
    session = requests.Session()
    session.mount("https://plex.tv", PlexTvAdapter(box.extra_urls["plextv"]))
    return session


def test_it_connects_and_lists(box: SandboxHandle) -> None:
    """Server, libraries, movies, shows, seasons, episodes, guids, files."""
    plex = connect(box, "alice")
    assert (plex.friendlyName, plex.version, plex.myPlexUsername) == ("plex", "1.43.3", "alice")
    assert [section.title for section in plex.library.sections()] == ["Movies", "4K", "Shows"]
    movies = {movie.title: movie for movie in plex.library.section("Movies").all()}
    assert set(movies) == {"The Matrix", "Legacy", "Home Cut"}
    matrix = movies["The Matrix"]
    assert [guid.id for guid in matrix.guids] == ["imdb://tt0133093", "tmdb://603"]
    assert (matrix.year, matrix.duration, len(matrix.media)) == (1999, 8_160_000, 2)
    show = plex.library.section("Shows").get("The Show")
    assert [season.title for season in show.seasons()] == ["Season 1", "Season 2"]
    assert [episode.seasonEpisode for episode in show.episodes()] == ["s01e01", "s01e02", "s01e03", "s02e01"]
    assert plex.fetchItem(MATRIX).title == "The Matrix"
    with pytest.raises(NotFound):
        plex.fetchItem(99999)


def test_it_lists_in_pages(box: SandboxHandle) -> None:
    """Small containers are put together by the client."""
    section = connect(box, "alice").library.section("Shows")
    episodes = section.searchEpisodes(container_size=2)
    assert len(episodes) == 5
    assert section.totalViewSize(libtype="episode") == 5


def test_it_filters_by_unwatched(box: SandboxHandle) -> None:
    """The client checks fields against what the section tells of itself, then asks."""
    section = connect(box, "alice").library.section("Movies")
    assert [movie.title for movie in section.search(unwatched=False)] == ["Legacy"]
    assert {movie.title for movie in section.search(unwatched=True)} == {"The Matrix", "Home Cut"}


def test_it_marks_and_unmarks(box: SandboxHandle) -> None:
    """Counted once more each time, cleared, and no history."""
    matrix = connect(box, "alice").fetchItem(MATRIX)
    assert not matrix.isPlayed
    matrix.markPlayed()
    matrix.reload()
    assert (matrix.isPlayed, matrix.viewCount) == (True, 1)
    matrix.markPlayed().reload()
    assert matrix.viewCount == 2
    assert matrix.history() == []
    matrix.markUnplayed().reload()
    assert (matrix.isPlayed, matrix.viewCount, matrix.lastViewedAt) == (False, 0, None)


def test_it_sets_progress(box: SandboxHandle) -> None:
    """By progress and by timeline; a mark clears it."""
    matrix = connect(box, "alice").fetchItem(MATRIX)
    matrix.updateProgress(120_000).reload()
    assert matrix.viewOffset == 120_000
    matrix.updateTimeline(100_000, state="stopped", duration=matrix.duration).reload()
    assert matrix.viewOffset == 100_000
    matrix.markPlayed().reload()
    assert matrix.viewOffset == 0


def test_it_rates(box: SandboxHandle) -> None:
    """With half stars, and None clears."""
    matrix = connect(box, "alice").fetchItem(MATRIX)
    matrix.rate(7.0).reload()
    assert matrix.userRating == 7
    matrix.rate(None).reload()
    assert matrix.userRating is None


def test_a_show_is_marked_as_a_whole(box: SandboxHandle) -> None:
    """All leaves, seen from the show."""
    show = connect(box, "bob").library.section("Shows").get("The Show")
    show.markPlayed().reload()
    assert (show.isPlayed, show.viewedLeafCount) == (True, 4)
    assert show.unwatched() == []


def test_history_accounts_and_settings(box: SandboxHandle) -> None:
    """What was played, by whom; the owner is account 1."""
    act = {"server": "plex", "user": "bob", "item": "matrix", "act": "play", "at": NOW}
    requests.post(f"{box.control_url}/_sandbox/act", json=act, timeout=5).raise_for_status()
    plex = connect(box, "alice")
    rows = plex.history()
    assert [row.title for row in rows] == ["The Matrix", "Legacy"]
    accounts = {account.id: account.name for account in plex.systemAccounts()}
    assert accounts[1] == "alice"
    assert accounts[rows[0].accountID] == "bob"
    assert plex.sessions() == []
    assert plex.settings.get("MinimumProgressTime").value == 60_000
    assert plex.account().username == "alice"


def test_a_wrong_token_is_refused(box: SandboxHandle) -> None:
    """As a real server does."""
    with pytest.raises(Unauthorized):
        PlexServer(box.url("plex"), "wrong")


def test_plex_tv_knows_the_account_and_its_servers(box: SandboxHandle) -> None:
    """Account, resources with their tokens, friends, and the way from there to the server."""
    account = MyPlexAccount(token=box.token("plex", "alice"), session=plextv_session(box))
    assert box.counters["plextv"].routes == {"GET /api/v2/user": 1}
    assert (account.username, account.subscriptionActive) == ("alice", True)
    [resource] = account.resources()
    assert (resource.name, resource.owned, resource.provides) == ("plex", True, "server")
    assert resource.connect().friendlyName == "plex"
    assert {user.title for user in account.users()} == {"bob", "kid"}
    assert account.user("bob").get_token(resource.clientIdentifier) == box.token("plex", "bob")
    with pytest.raises(Unauthorized):
        MyPlexAccount(token="wrong", session=plextv_session(box))


def test_plex_tv_switches_home_users(box: SandboxHandle) -> None:
    """The switched account sees the server as shared and gets its own token for it."""
    account = MyPlexAccount(token=box.token("plex", "alice"), session=plextv_session(box))
    bob = account.switchHomeUser("bob")
    session = plextv_session(box)
    switched = MyPlexAccount(token=bob.authToken, session=session)
    assert switched.username == "bob"
    [resource] = switched.resources()
    assert (resource.owned, resource.accessToken) == (False, box.token("plex", "bob"))


def test_plex_tv_signs_in_by_pin(box: SandboxHandle) -> None:
    """A PIN is made, linked as on the web page, and gives a token."""
    session = plextv_session(box)
    login = MyPlexPinLogin(session=session)
    assert len(login.pin) == 4
    assert not login.checkLogin()
    linked = session.put(f"https://plex.tv/api/v2/pins/{login._id}/_sandbox_link?user=bob", timeout=5)
    assert linked.status_code == 200
    assert login.checkLogin()
    assert MyPlexAccount(token=login.token, session=session).username == "bob"


def test_a_strong_code_is_entered_on_the_page_and_gives_the_persons_servers(box: SandboxHandle) -> None:
    """As ``MyPlexPinLogin`` with ``oauth`` does it; the account that it gives finds its server and signs in there."""
    session = plextv_session(box)
    login = MyPlexPinLogin(session=session, oauth=True)
    code = login._code or login.oauthUrl().partition("code=")[2].partition("&")[0]
    assert len(code) == 25
    assert not login.checkLogin()
    order = {"server": "plex", "user": "bob", "act": "enter_code", "code": code}
    assert requests.post(f"{box.control_url}/_sandbox/act", json=order, timeout=5).status_code == 200
    assert login.checkLogin()
    account = MyPlexAccount(token=login.token, session=session)
    assert account.username == "bob"
    [resource] = account.resources()
    server = PlexServer(resource.connections[0].uri, resource.accessToken)
    assert server.friendlyName == "plex"


def test_its_account_enters_a_short_code(box: SandboxHandle) -> None:
    """``link`` is what the page for televisions does; a wrong or old code is not found."""
    session = plextv_session(box)
    login = MyPlexPinLogin(session=session)
    account = MyPlexAccount(token=box.token("plex", "alice"), session=session)
    with pytest.raises(NotFound):
        account.link("WXYZ")
    account.link(login.pin)
    assert login.checkLogin()
    assert MyPlexAccount(token=login.token, session=session).username == "alice"
    late = MyPlexPinLogin(session=session).pin
    box.clock.advance(901)
    with pytest.raises(NotFound):
        account.link(late)


def test_its_alert_listener_hears_playback_and_marks(box: SandboxHandle) -> None:
    """``startAlertListener`` connects with a token in the query; frames are told apart by type."""
    plex, heard = connect(box, "alice"), queue.Queue()
    listener = plex.startAlertListener(heard.put)
    control = f"{box.control_url}/_sandbox/act"
    deadline = time.monotonic() + 30
    while not requests.get(f"{box.control_url}/_sandbox/told", timeout=5).json()["servers"]["plex"]["lines"]:
        assert time.monotonic() < deadline
    order = {"server": "plex", "user": "bob", "item": "matrix", "act": "play_start", "position_s": 60}
    assert requests.post(control, json=order, timeout=5).status_code == 200
    alert = heard.get(timeout=30)
    assert (alert["type"], alert["PlaySessionStateNotification"][0]["state"]) == ("playing", "playing")
    [session] = plex.sessions()
    assert (session.title, session.viewOffset, session.usernames) == ("The Matrix", 60_000, ["bob"])
    assert session.player.product == "Sandbox"
    assert session.session.location == "lan"
    plex.library.section("Movies").get("Home Cut").markPlayed()
    alert = heard.get(timeout=30)
    assert (alert["type"], alert["TimelineEntry"][0]["title"]) == ("timeline", "Home Cut")
    listener.stop()


def test_it_sets_webhooks_at_plex_tv(box: SandboxHandle) -> None:
    """Adding reads the list first, deleting the last one clears it."""
    account = MyPlexAccount(token=box.token("plex", "alice"), session=plextv_session(box))
    assert account.webhooks() == []
    account.addWebhook("http://127.0.0.1:9/one")
    assert account.addWebhook("http://127.0.0.1:9/two") == [
        "http://127.0.0.1:9/one",
        "http://127.0.0.1:9/two",
    ]
    account.deleteWebhook("http://127.0.0.1:9/one")
    assert account.webhooks() == ["http://127.0.0.1:9/two"]
    assert account.deleteWebhook("http://127.0.0.1:9/two") == []


def test_it_scans_a_folder_and_sees_what_is_new(tmp_path: Path) -> None:
    """``update``, ``refreshing``, ``recentlyAdded``, ``emptyTrash``, activities, and the alerts in between."""
    film = tmp_path / "New One (2024) {tmdb-9}/New One.mkv"
    library = WorldLibrary(title="Films", kind="movies", folder=str(tmp_path), root="/films")
    server = WorldServer(
        name="plex",
        kind="plex",
        users=[WorldUser(name="alice")],
        libraries=[library],
        delays={"metadata_s": 0},
    )
    with run_world_in_thread(World(items=[], servers=[server])) as box:
        plex = connect(box, "alice")
        heard: queue.Queue[dict[str, Any]] = queue.Queue()
        alerts = plex.startAlertListener(heard.put)
        wait_for(lambda: box.server("plex").told().lines == 1)
        section = plex.library.section("Films")
        assert (section.refreshing, section.recentlyAdded()) == (False, [])
        film.parent.mkdir()
        film.touch()
        section.update(path="/films/New One (2024) {tmdb-9}")
        section.reload()
        assert section.refreshing is True
        assert [activity.type for activity in plex.activities] == ["library.update.section"]
        box.clock.advance(10)
        wait_for(lambda: [guid.id for item in section.recentlyAdded() for guid in item.guids] == ["tmdb://9"])
        assert section.reload().refreshing is False
        film.unlink()
        section.update()
        box.clock.advance(10)
        wait_for(lambda: section.search(trash=True) != [])
        section.emptyTrash()
        assert section.all() == []
        alerts.stop()
    kinds = {heard.get()["type"] for _ in range(heard.qsize())}
    assert kinds == {"activity", "status", "timeline"}


def wait_for(done: Callable[[], bool]) -> None:
    """Wait for what the server's thread does; at most ten seconds."""
    end = time.monotonic() + 10
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)
