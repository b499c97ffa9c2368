"""The net under the webhooks, on an emulated Sonarr and Radarr: what it tells, and that it tells each thing once."""

from __future__ import annotations

import pytest

from playhead.adapters._arr.poll import PAGE
from playhead.adapters._arr.tests.rig import COUNT, KINDS, Rig, run_rig
from playhead.adapters.radarr.webhook import read_webhook as read_radarr
from playhead.adapters.sonarr.webhook import read_webhook as read_sonarr
from tests.sandbox.ear import listen, wait_until

AT = 1767323045.0  # 2026-01-02T03:04:05Z
READERS = {"sonarr": read_sonarr, "radarr": read_radarr}


async def test_the_first_look_only_remembers(rig: Rig) -> None:
    """What happened before the connection is no news."""
    rig.act("import", rig.item(1, "new"))
    assert await rig.told(sweep=True) == []
    assert await rig.told(sweep=True) == []


async def test_an_import_is_told_once_by_the_history(rig: Rig) -> None:
    """With folder, title and claims of its series or movie; the sweep after it says nothing more."""
    await rig.look(sweep=True)
    rig.act("import", rig.item(3, "new"))
    [arrival] = await rig.told()
    assert (arrival.what, arrival.name) == ("arrived", "downloadFolderImported")
    assert arrival.paths[0].startswith(arrival.folder + "/")
    assert arrival.claims == (("tvdb:show:7003",) if rig.kind == "sonarr" else ("tmdb:movie:303",))
    assert arrival.title == ("Show 3" if rig.kind == "sonarr" else "Film 3 new")
    assert await rig.told() == []
    assert await rig.told(sweep=True) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_the_net_and_the_webhook_tell_the_same_by_the_same_key(kind: str) -> None:
    """So that whoever listens to both acts once: import, upgrade, rename, deletion."""
    async with listen() as ear, run_rig(kind, f"{ear.url}/hook") as rig:
        await rig.look(sweep=True)
        rig.act("import", rig.item(1, "new"))
        rig.act("import", rig.item(2), quality="2160p.BluRay")
        rig.act("rename", rig.item(4), to="Season 1/other.mkv")
        rig.act("delete_file", rig.item(5))
        rig.act("lose", rig.item(6))
        rig.rescan(6)
        count = 6 if kind == "sonarr" else 7  # a movie that is new is posted, too
        await wait_until(lambda: len(ear.posts) >= count)
        posts = [READERS[kind](post.fields[""], {}) for post in ear.posts]
        posted = {each.key: each for post in posts for each in post.arrivals if not each.half}
        told = {each.key: each for each in await rig.told(sweep=True)}
        assert posted.keys() == told.keys()
        for key, each in told.items():
            same = (each.what, each.paths, each.before, each.folder, each.missing)
            other = posted[key]
            assert same == (other.what, other.paths, other.before, other.folder, other.missing)
            assert set(each.claims) <= set(other.claims)


async def test_an_upgrade_whose_import_is_not_there_yet_is_a_half(rig: Rig) -> None:
    """A look between the two records; the next look tells the import."""
    await rig.look(sweep=True)
    rig.act("import", rig.item(2), quality="2160p.BluRay")
    history = rig.server.library.history
    late = history.records.pop()
    [half] = await rig.told()
    assert (half.what, half.half) == ("deleted", True)
    history.records.append(late)
    [arrival] = await rig.told()
    assert (arrival.what, arrival.half) == ("arrived", False)


async def test_a_rescan_that_nobody_was_told_of_is_found_by_the_sweep(rig: Rig) -> None:
    """A file that a hand put there leaves no record and no post."""
    await rig.look(sweep=True)
    item = rig.item(5, "new")
    if rig.kind == "radarr":
        rig.act("add", item)
    rig.act("put", item, file="Season 1/Show.5.S01E02.720p.mkv")
    rig.act("rescan", item)
    assert await rig.told() == []
    [arrival] = await rig.told(sweep=True)
    assert (arrival.what, arrival.name) == ("arrived", "compared")
    assert arrival.paths[0].endswith("/Season 1/Show.5.S01E02.720p.mkv")
    assert await rig.told(sweep=True) == []


async def test_a_moved_folder_is_found_by_the_sweep(rig: Rig) -> None:
    """One thing: the folder, with its old name."""
    await rig.look(sweep=True)
    root = "/tv" if rig.kind == "sonarr" else "/movies"
    rig.act("move_folder", rig.item(2), to=f"{root}/Elsewhere")
    [arrival] = await rig.told(sweep=True)
    assert (arrival.what, arrival.paths) == ("renamed", (f"{root}/Elsewhere",))
    assert arrival.before[0] != arrival.paths[0]
    assert await rig.told(sweep=True) == []


async def test_a_file_that_was_replaced_by_another_of_its_name_is_an_upgrade(rig: Rig) -> None:
    """Same number, same name, another size."""
    await rig.look(sweep=True)
    holder, part = rig.server.library.shelf.find_world(rig.item(4))
    rig.server.library.disk.put(holder.place(part.file), 4711)
    rig.rescan(4)
    [arrival] = await rig.told(sweep=True)
    assert (arrival.what, arrival.paths) == ("upgraded", (holder.place(part.file),))


async def test_a_series_taken_off_may_have_left_its_files(rig: Rig) -> None:
    """Told as missing: the files may be there."""
    await rig.look(sweep=True)
    rig.act("delete", rig.item(7), files=False)
    [arrival] = await rig.told(sweep=True)
    assert (arrival.what, arrival.missing, arrival.paths) == ("deleted", True, (arrival.folder,))


async def test_a_lost_file_is_told_as_missing(rig: Rig) -> None:
    """By the history, with its reason; a deletion by hand is not."""
    await rig.look(sweep=True)
    rig.act("lose", rig.item(7))
    rig.rescan(7)
    rig.act("delete_file", rig.item(8))
    lost, deleted = await rig.told()
    assert (lost.what, lost.missing) == ("deleted", True)
    assert (deleted.what, deleted.missing) == ("deleted", False)


async def test_an_offline_disk_is_told_as_such_and_not_as_deletions(rig: Rig) -> None:
    """A burst of missingFromDisk below a root that cannot be reached; once it is back all is as before, or truly gone."""
    await rig.look(sweep=True)
    for number in (1, 2, 3):
        rig.act("lose", rig.item(number))
        rig.rescan(number)
    rig.act("offline")
    root = "/tv" if rig.kind == "sonarr" else "/movies"
    caught = await rig.look(sweep=True)
    assert (caught.arrivals, caught.offline) == ((), (root,))
    assert await rig.net.find_offline() == (root,)
    assert (await rig.look(sweep=True)).arrivals == ()
    rig.act("online")
    holder, _ = rig.server.library.shelf.find_world(rig.item(1))
    rig.act("put", rig.item(1), file=rig_file(rig, 1))
    rig.rescan(1)
    gone = await rig.told(sweep=True)
    assert {each.folder for each in gone} == {folder_of(rig, 2), folder_of(rig, 3)}
    assert all(each.missing for each in gone)
    assert holder.files


def rig_file(rig: Rig, number: int) -> str:
    """Where the file of an item was."""
    return (
        "Season 1/Show 1 - S01E01 - Part 1 WEBDL-1080p.mkv"
        if rig.kind == "sonarr"
        else "Film 1 a (2021) WEBDL-1080p.mkv"
    )


def folder_of(rig: Rig, number: int) -> str:
    return str(rig.server.library.shelf.find_world(rig.item(number))[0].path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("roots", [("D:\\TV", "D:\\Movies"), ("\\\\nas\\tv", "\\\\nas\\movies")])
async def test_one_on_windows_tells_its_own_paths(kind: str, roots: tuple[str, str]) -> None:
    """Drives and shares: each thing once, by post, history and sweep alike, and offline is offline."""
    root = roots[KINDS.index(kind)]
    async with listen() as ear, run_rig(kind, f"{ear.url}/hook", roots) as rig:
        await rig.look(sweep=True)
        rig.act("import", rig.item(2), quality="2160p.BluRay")
        rig.act("put", rig.item(3), file="Season 1/Show.3.S01E02.720p.mkv")
        rig.act("delete_file", rig.item(4))
        rig.rescan(3)
        await wait_until(lambda: len(ear.posts) == 3)
        posted = [a for post in ear.posts for a in READERS[kind](post.fields[""], {}).arrivals if not a.half]
        told = await rig.told(sweep=True)
        assert {each.key for each in posted} <= {each.key for each in told}
        assert all(path.startswith(f"{root}\\") and "/" not in path for each in told for path in each.paths)
        assert await rig.told(sweep=True) == []
        rig.act("lose", rig.item(5))
        rig.rescan(5)
        rig.act("offline")
        assert (await rig.look(sweep=True)).offline == (root,)


async def test_many_records_come_by_pages_and_none_twice(rig: Rig) -> None:
    """More than two pages, while others are added between the pages."""
    await rig.look(sweep=True)
    for _ in range(PAGE):
        rig.act("delete_file", rig.item(1))
        rig.act("import", rig.item(1), size=1)
    rig.act("import", rig.item(2, "new"))
    library = rig.server.library
    page, asked = library.history.page, []

    def page_meanwhile(*args: object, **more: object) -> object:
        answer = page(*args, **more)
        asked.append(1)
        if len(asked) == 1:
            rig.act("import", rig.item(3, "new"))
        return answer

    library.history.page = page_meanwhile
    first = await rig.told()
    library.history.page = page
    second = await rig.told()
    assert len(asked) == 3
    keys = [each.key for each in (*first, *second)]
    assert len([each for each in first if each.what == "arrived"]) == PAGE + 1
    assert [each.what for each in second] == ["arrived"]
    assert len(set(keys)) == len(keys)


async def test_records_that_go_between_pages_hide_none(rig: Rig) -> None:
    """A series is taken off while the pages are read: all is read anew."""
    await rig.look(sweep=True)
    rig.act("import", rig.item(9, "new"))
    for _ in range(PAGE):
        rig.act("delete_file", rig.item(1))
        rig.act("import", rig.item(1), size=1)
    library = rig.server.library
    page, asked = library.history.page, []

    def page_meanwhile(*args: object, **more: object) -> object:
        answer = page(*args, **more)
        asked.append(1)
        if len(asked) == 1:
            rig.act("delete", rig.item(1))
        return answer

    library.history.page = page_meanwhile
    told = await rig.told()
    assert [each.paths for each in told if each.folder == folder_of_new(rig, 9)] != []


def folder_of_new(rig: Rig, number: int) -> str:
    return str(rig.server.library.shelf.find_world(rig.item(number, "new"))[0].path)


async def test_after_a_long_silence_the_history_of_a_day_is_read_and_the_sweep_finds_the_rest(
    rig: Rig,
) -> None:
    """The older import is not told by the history; it is found by comparing."""
    rig.box.clock.freeze(1_800_000_000)
    await rig.look(sweep=True)
    rig.act("import", rig.item(1, "new"))
    rig.box.clock.advance(3 * 86_400)
    rig.act("import", rig.item(2, "new"))
    told = await rig.told(sweep=True)
    assert [each.name for each in told] == ["downloadFolderImported", "compared"]


async def test_a_history_that_was_set_back_is_gone_on_with(rig: Rig) -> None:
    """Numbers below the known ones, after a restored backup: new records are known by their dates."""
    rig.box.clock.freeze(1_800_000_000)
    for _ in range(5):
        rig.act("delete_file", rig.item(1))
        rig.act("import", rig.item(1))
    await rig.look(sweep=True)
    history = rig.server.library.history
    history.records, history._next = [], 1
    rig.box.clock.advance(60)
    rig.act("import", rig.item(2, "new"))
    [arrival] = await rig.told()
    assert arrival.what == "arrived"
    rig.act("import", rig.item(3, "new"))
    assert len(await rig.told()) == 1


async def test_a_memory_of_another_form_begins_anew(rig: Rig) -> None:
    """Nothing is told, nothing breaks."""
    rig.memory = b"{nonsense"
    assert await rig.told(sweep=True) == []
    rig.act("import", rig.item(1, "new"))
    assert len(await rig.told()) == 1


async def test_what_a_look_costs(rig: Rig) -> None:
    """A look is one request; a sweep one more, and one for each series that changed; only the first sweep asks for all."""
    await rig.look(sweep=True)
    first = rig.requests
    memory = rig.memory
    await rig.look()
    assert rig.requests - first == 1
    assert rig.memory == memory  # nothing to store again
    await rig.look(sweep=True)
    assert rig.requests - first == 3
    rig.act("import", rig.item(1, "new"))
    before = rig.requests
    await rig.look(sweep=True)
    assert rig.requests - before == 3
    assert first == (2 + COUNT if rig.kind == "sonarr" else 2)
