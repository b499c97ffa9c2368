"""Who is told of what, and when: grouped, batched, each once, also over restarts and refusals."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from playhead.domain.news.addition import Addition, group, number_episodes
from playhead.flows.find_additions import look
from playhead.flows.notify import NoticeDesk, list_refusals, turn
from playhead.notice_settings import NoticeSettings
from playhead.notices.rendering import Templates
from playhead.ports.notices import Message, Picture, TargetRefused, Trouble, name_target
from playhead.store.notices import SqlNoticeBook

from .newsroom import FakeServer, Newsroom, change, episode, library


class Killed(BaseException):
    """Nothing comes after it, as after kill -9."""


class Postbox:
    """Takes messages, or refuses them."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Message]] = []
        self.refuses: set[str] = set()

    def check(self, address: str) -> None:
        """All are well."""

    async def send(self, address: str, message: Message) -> None:
        if address in self.refuses:
            raise TargetRefused("The box is full.")
        self.got.append((address, message))


class Office:
    """A newsroom with rules and a postbox."""

    def __init__(self, folder: Path, *rules: NoticeSettings) -> None:
        self.room = Newsroom(folder)
        self.rules = list(rules)
        self.box = Postbox()
        self.server = FakeServer(library("1", "Shows"), library("2", "Films"))
        self.addresses = ["mail:one"]
        self.near: dict[str, set[str]] = {}
        self.templates = Templates(folder / "templates")

    @property
    def desk(self) -> NoticeDesk:
        return NoticeDesk(
            SqlNoticeBook(self.room.file), self.room.additions, self.rules, self.box, self.templates,
            lambda reference: self.addresses, self.fetch, lambda: self.room.now,
            lambda person: self.near.get(person, set()),
        )  # fmt: skip

    async def fetch(self, connection: str, path: str) -> Picture | None:
        return Picture("", "image/jpeg", b"jpeg of " + path.encode())

    async def begin(self) -> None:
        await look(self.room.lane("Plex", self.server))
        await turn(self.desk)

    async def arrive(self, *numbers: int, **more: Any) -> None:
        self.server.put(*(episode(n, int(self.room.now), **more) for n in numbers))
        await look(self.room.lane("Plex", self.server))
        await turn(self.desk)

    async def wait(self, seconds: float) -> list[str]:
        """Let time go by; gives the subjects of what was sent."""
        self.room.now += seconds
        before = len(self.box.got)
        await turn(self.desk)
        return [message.words.subject for _, message in self.box.got[before:]]


def rule(**more: Any) -> NoticeSettings:
    return NoticeSettings(**{"name": "family", "to": "env:BOX", **more})


def added(number: int, **more: Any) -> Addition:
    fields: dict[str, Any] = {
        "id": number, "what": "new", "kind": "episode", "connection": "Plex", "library_id": "1", "library": "Shows",
        "native_id": str(number), "found_at": 0.0, "show_title": "Severance", "season": 2, "episode": number,
    }  # fmt: skip
    return Addition(**{**fields, **more})


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([(2, n, None) for n in range(1, 11)], "S02E01-E10"),
        ([(2, 1, None), (2, 2, None), (2, 3, None), (2, 5, None)], "S02E01-E03, E05"),
        ([(1, 10, None), (2, 1, 2)], "S01E10, S02E01-E02"),
        ([(0, 3, None)], "S00E03"),
    ],
)
def test_episodes_are_told_by_their_runs(numbers: list[tuple[int, int, int | None]], words: str) -> None:
    """Gaps show; a file of two episodes is two."""
    episodes = [added(n, season=s, episode=e, episode_end=end) for n, (s, e, end) in enumerate(numbers)]
    assert number_episodes(episodes) == words


def test_lines_stand_as_a_person_sorts_them() -> None:
    """By library, numbers by what they count, a movie with its year."""
    movies = [
        added(n, kind="movie", library="Films", title=f"Rocky {n}", year=1970 + n, show_title=None)
        for n in (10, 2)
    ]
    assert [line.text for line in group([added(1), *movies])] == [
        "Rocky 2 (1972)",
        "Rocky 10 (1980)",
        "Severance S02E01",
    ]


def test_songs_and_pictures_are_counted() -> None:
    """An album is one line, and so are a hundred photos."""
    fields = {"kind": "other", "season": None, "episode": None, "library": "Music"}
    songs = [added(n, show_title="Air", title=f"Song {n}", **fields) for n in (1, 2)]
    photos = [
        added(n, show_title=None, title=f"IMG_{n}", **{**fields, "library": "Photos"}) for n in (4, 5, 6)
    ]
    assert [line.text for line in group([*songs, *photos])] == ["Air (2)", "IMG_4 … (3)"]
    assert [line.text for line in group(songs[:1])] == ["Air - Song 1"]


async def test_a_burst_is_one_notice_after_it_is_quiet(tmp_path: Path) -> None:
    """Ten episodes over some minutes, one line."""
    office = Office(tmp_path, rule())
    await office.begin()
    for number in range(1, 11):
        await office.arrive(number)
        assert await office.wait(60) == []
    assert await office.wait(240) == ["New: Severance S02E01-E10"]
    assert await office.wait(10_000) == []


async def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    """Where it is never quiet, the first has waited long enough after a while."""
    office = Office(tmp_path, rule(quiet_s=300, longest_wait_s=600))
    await office.begin()
    for number in range(1, 11):
        await office.arrive(number)
        await office.wait(100)
    assert [message.words.subject for _, message in office.box.got] == ["New: Severance S02E01-E06"]


async def test_what_the_day_has_no_room_for_goes_into_the_next(tmp_path: Path) -> None:
    """At most so many a day; nothing is lost."""
    office = Office(tmp_path, rule(quiet_s=0, most_a_day=2))
    await office.begin()
    for number in (1, 2, 3, 4):
        await office.arrive(number)
        await office.wait(60)
    assert len(office.box.got) == 2
    assert await office.wait(86_400) == ["New: Severance S02E03-E04"]


async def test_a_new_rule_tells_nothing_old(tmp_path: Path) -> None:
    """It begins with what comes from then on."""
    office = Office(tmp_path)
    await office.begin()
    await office.arrive(1)
    office.rules = [rule(quiet_s=0)]
    assert await office.wait(60) == []
    await office.arrive(2)
    assert [message.words.subject for _, message in office.box.got] == ["New: Severance S02E02"]


async def test_a_rule_that_was_gone_begins_anew(tmp_path: Path) -> None:
    """What waited for it, and what came meanwhile, is not told when it comes back."""
    office = Office(tmp_path, rule())
    await office.begin()
    await office.arrive(1)
    office.rules = []
    await office.arrive(2)
    office.rules = [rule(quiet_s=0)]
    assert await office.wait(600) == []
    await office.arrive(3)
    assert [message.words.subject for _, message in office.box.got] == ["New: Severance S02E03"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"libraries": ["shows"]}, ["Severance S02E01"]),
        ({"libraries": ["Films"]}, ["Heat (1995)"]),
        ({"kinds": ["movies"]}, ["Heat (1995)"]),
        ({"connections": ["Emby"]}, []),
        ({"person": "kim"}, []),
        ({"person": "robin"}, ["Heat (1995)", "Severance S02E01"]),
        ({"upgrades": True, "libraries": ["Films"]}, ["Alien (1979) (better file)", "Heat (1995)"]),
    ],
)
async def test_a_rule_tells_what_concerns_it(tmp_path: Path, more: dict[str, Any], told: list[str]) -> None:
    """By library, kind, connection, person; upgrades only where they are wished for."""
    office = Office(tmp_path, rule(quiet_s=0, **more))
    office.near = {"robin": {"Plex"}, "kim": {"Jellyfin"}}
    film = {"kind": "movie", "library_id": "2", "show_title": None, "season": None, "episode": None}
    alien = episode(7, 5, title="Alien", year=1979, claims=("imdb:movie:tt1",), **film)
    office.server.put(alien)
    await office.begin()
    office.server.put(episode(8, 10**6, title="Heat", year=1995, claims=("imdb:movie:tt2",), **film))
    office.server.put(change(alien, files=("/srv/alien.2160p.bluray.mkv",)))
    await office.arrive(1)
    await office.wait(1)
    lines = [line for _, message in office.box.got for line in message.words.text.splitlines()]
    assert [line.removeprefix("- ") for line in lines if line.startswith("- ")] == told


async def test_a_target_that_refuses_gets_it_later_and_the_others_once(tmp_path: Path) -> None:
    """Also when the hub was started anew meanwhile; the admins hear of it."""
    office = Office(tmp_path, rule(quiet_s=0))
    office.addresses = ["mail:one", "mail:two"]
    office.box.refuses = {"mail:two"}
    await office.begin()
    await office.arrive(1)
    assert [address for address, _ in office.box.got] == ["mail:one"]
    assert [each.text for each in list_refusals(office.desk)] == [
        "Notices of 'family' cannot be sent: The box is full."
    ]
    office.room.restart()
    office.box.refuses = set()
    await office.arrive(2)
    await office.wait(60)
    sent = [(address, message.words.subject) for address, message in office.box.got]
    assert sent[1] == ("mail:two", "New: Severance S02E01")
    await office.wait(1)
    assert [address for address, _ in office.box.got] == ["mail:one", "mail:two", "mail:one", "mail:two"]
    assert list_refusals(office.desk) == []


async def test_a_notice_is_sent_again_under_its_key_after_a_kill(tmp_path: Path) -> None:
    """What was handed over and of which no answer was stored."""
    office = Office(tmp_path, rule(quiet_s=0))
    await office.begin()
    desk, sent = office.desk, office.box.send

    async def die(address: str, message: Message) -> None:
        await sent(address, message)
        raise Killed

    office.box.send = die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await office.arrive(1)
    office.box.send = sent  # type: ignore[method-assign]
    office.room.restart()
    await office.wait(1)
    await office.wait(1)
    first, second = (message.key for _, message in office.box.got)
    assert first == second and desk is not None


async def test_a_notice_that_is_just_going_out_when_the_hub_stops_goes_out_once(tmp_path: Path) -> None:
    """It is handed over to its end, and noted: after the next start nothing comes twice."""
    office = Office(tmp_path, rule(quiet_s=0))
    await office.begin()
    sent, taken, answers = office.box.send, asyncio.Event(), asyncio.Event()

    async def answer_late(address: str, message: Message) -> None:
        await sent(address, message)
        taken.set()
        await answers.wait()

    office.box.send = answer_late  # type: ignore[method-assign]
    working = asyncio.create_task(office.arrive(1))
    await taken.wait()
    working.cancel()
    asyncio.get_running_loop().call_soon(answers.set)
    with pytest.raises(asyncio.CancelledError):
        await working
    office.box.send = sent  # type: ignore[method-assign]
    office.room.restart()
    await office.wait(1)
    await office.wait(1)
    assert len(office.box.got) == 1


async def test_posters_go_with_html_alone(tmp_path: Path) -> None:
    """One for each line, by a name to which the page refers."""
    office = Office(tmp_path, rule(quiet_s=0))
    await office.begin()
    await office.arrive(1, 2, poster="/library/metadata/1/thumb/2")
    message = office.box.got[0][1]
    assert [picture.name for picture in message.pictures] == ["poster1.jpg"]
    assert 'src="cid:poster1.jpg"' in message.words.html and "http" not in message.words.html
    office.rules = [rule(quiet_s=0, template="plexlib")]
    await office.arrive(3, poster="/library/metadata/1/thumb/2")
    assert office.box.got[1][1].pictures == ()


async def test_plexlibs_mail(tmp_path: Path) -> None:
    """As PlexLib wrote it."""
    office = Office(tmp_path, rule(quiet_s=0, template="plexlib"))
    await office.begin()
    await office.arrive(1, 2)
    words = office.box.got[0][1].words
    assert words.subject == "New media in your Plex library"
    assert words.text == (
        "PlexLib has detected new media added to your library!\n\n[Shows]\n\n"
        "- Severance - s02e01 - Part 1\n- Severance - s02e02 - Part 2\n\nEnjoy!\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ 1 / 0 }}",
        "{% for %}",
        "{{ missing.a.b }}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
        "{{ '\\ud800' }}",
    ],
)
async def test_a_template_that_is_wrong_gives_way_to_the_standard_one(tmp_path: Path, text: str) -> None:
    """What a template of one's own may not do, or cannot, keeps no notice from going out."""
    own = tmp_path / "templates" / "mine"
    own.mkdir(parents=True)
    (own / "subject.txt").write_text("Mine")
    (own / "text.txt").write_text(text)
    office = Office(tmp_path, rule(quiet_s=0, template="mine"))
    await office.begin()
    await office.arrive(1)
    assert [message.words.subject for _, message in office.box.got] == ["New: Severance S02E01"]


async def test_titles_are_text_in_html(tmp_path: Path) -> None:
    """A title is no markup."""
    office = Office(tmp_path, rule(quiet_s=0))
    await office.begin()
    await office.arrive(1, show_title="<b>Tom & Jerry</b>")
    words = office.box.got[0][1].words
    assert "&lt;b&gt;Tom &amp; Jerry" in words.html and "<b>Tom & Jerry</b>" in words.text


async def test_a_failure_is_told_once_and_its_recovery_once(tmp_path: Path) -> None:
    """When it lasts; what passes by itself is not told."""
    office = Office(tmp_path, rule(name="admins", admin=True))
    down = Trouble("down Plex", "Plex cannot be reached.", "Is it on?", after_s=600)

    async def now(*current: Trouble, after: float = 0) -> list[str]:
        office.room.now += after
        office.desk.book.tell_troubles(["admins"], current, office.room.now)
        return await office.wait(0)

    assert await now(down) == [] and await now(after=60) == [] and await now(after=600) == []
    assert await now(down) == []
    assert await now(down, after=601) == ["Playhead: Plex cannot be reached."]
    office.room.restart()
    assert await now(down, after=9000) == []
    assert await now(after=10) == ["Playhead: mended: Plex cannot be reached."]
    assert await now(after=10) == []


def test_a_target_is_named_by_nothing_that_leads_to_it() -> None:
    """What is stored of an address does not hold it."""
    assert "secret" not in name_target("mailto://me:secret@example.org")
