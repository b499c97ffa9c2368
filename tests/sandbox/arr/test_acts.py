"""What imports, renames, deletions and rescans post and leave behind: as the tapes show it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from playhead.sandbox.run import run_world
from tests.sandbox.arr.conftest import Talk, make_world
from tests.sandbox.ear import Ear, wait_until


async def heard(ear: Ear, count: int) -> list[Any]:
    """The bodies of the posts, once so many came; they are then forgotten."""
    await wait_until(lambda: len(ear.posts) >= count)
    bodies = [post.json() for post in ear.posts]
    ear.posts.clear()
    assert len(bodies) == count, [body["eventType"] for body in bodies]
    return bodies


async def test_an_import_posts_once_and_is_in_the_history(sonarr: Talk, ear: Ear) -> None:
    """Without a tracked download there is no Import Complete."""
    sonarr.act("import", "e23")
    [body] = await heard(ear, 1)
    assert (body["eventType"], body["isUpgrade"]) == ("Download", False)
    assert "deletedFiles" not in body
    file = body["episodeFile"]
    assert file["path"] == f"/tv/Severance/{file['relativePath']}"
    assert file["relativePath"] == "Season 2/Severance - S02E03 - Part 3 WEBDL-1080p.mkv"
    [record] = (await sonarr.get("/history"))["records"]
    assert record["eventType"] == "downloadFolderImported"
    assert (record["data"]["importedPath"], record["data"]["fileId"]) == (file["path"], str(file["id"]))
    files = await sonarr.get("/episodefile", seriesId="1")
    assert file["path"] in [each["path"] for each in files]


async def test_an_upgrade_posts_the_deletion_first(sonarr: Talk, ear: Ear) -> None:
    """EpisodeFileDelete (upgrade), then Download (isUpgrade) with what was replaced."""
    sonarr.act("import", "e11", quality="2160p.BluRay")
    deleted, download = await heard(ear, 2)
    assert (deleted["eventType"], deleted["deleteReason"]) == ("EpisodeFileDelete", "upgrade")
    assert download["isUpgrade"]
    assert [each["id"] for each in download["deletedFiles"]] == [deleted["episodeFile"]["id"]]
    kinds = [each["eventType"] for each in (await sonarr.get("/history"))["records"]]
    assert kinds == ["downloadFolderImported", "episodeFileDeleted"]


async def test_a_tracked_download_ends_with_import_complete(sonarr: Talk, ear: Ear) -> None:
    """A post for each file, and one for all of them, of the same kind."""
    sonarr.act("import", "e23", items=["e22"], download="bh_1")
    posts = await heard(ear, 4)
    assert [each["eventType"] for each in posts] == ["Download", "EpisodeFileDelete", "Download", "Download"]
    assert [each["id"] for each in posts[3]["episodeFiles"]] == [
        posts[0]["episodeFile"]["id"],
        posts[2]["episodeFile"]["id"],
    ]
    assert (posts[3]["fileCount"], posts[3]["destinationPath"]) == (2, "/tv/Severance/Season 2")
    assert "isUpgrade" not in posts[3]


async def test_a_double_episode_is_one_file_with_a_record_for_each(sonarr: Talk, ear: Ear) -> None:
    """S02E02-E03."""
    sonarr.act("import", "e22", items=["e23"], together=True)
    _, body = await heard(ear, 2)
    assert (
        body["episodeFile"]["relativePath"]
        == "Season 2/Severance - S02E02-E03 - Part 2 + Part 3 WEBDL-1080p.mkv"
    )
    assert [each["episodeNumber"] for each in body["episodes"]] == [2, 3]
    records = (await sonarr.get("/history"))["records"]
    assert [each["data"]["fileId"] for each in records[:2]] == [str(body["episodeFile"]["id"])] * 2


async def test_rename_delete_and_series_delete(sonarr: Talk, ear: Ear) -> None:
    """With old and new names; the reason of the deletion; whether files went along."""
    sonarr.act("rename", "e11", to="Season 1/new.mkv")
    [renamed] = await heard(ear, 1)
    [file] = renamed["renamedEpisodeFiles"]
    assert file["path"] == "/tv/Severance/Season 1/new.mkv"
    assert file["previousPath"] == "/tv/Severance/Season 1/Severance - S01E01 - Part 1 WEBDL-1080p.mkv"
    sonarr.act("delete_file", "e12")
    assert (await heard(ear, 1))[0]["deleteReason"] == "manual"
    sonarr.act("delete", "show", files=True)
    [gone] = await heard(ear, 1)
    assert (gone["eventType"], gone["deletedFiles"]) == ("SeriesDelete", True)
    assert await sonarr.get("/series") == []


async def test_a_movie_likewise(radarr: Talk, ear: Ear) -> None:
    """MovieAdded, Download, MovieFileDelete, Rename, MovieDelete with Radarr's words."""
    radarr.act("import", "moon")
    added, download = await heard(ear, 2)
    assert (added["eventType"], added["movie"]["folderPath"]) == ("MovieAdded", "/movies/Moon (2009)")
    assert download["movieFile"]["relativePath"] == "Moon (2009) WEBDL-1080p.mkv"
    assert download["remoteMovie"]["tmdbId"] == 17431
    radarr.act("import", "arrival", quality="2160p.BluRay")
    assert [each["eventType"] for each in await heard(ear, 2)] == ["MovieFileDelete", "Download"]
    radarr.act("delete", "alien", files=False)
    [gone] = await heard(ear, 1)
    assert (gone["deletedFiles"], gone["movieFolderSize"]) == (False, 0)


async def test_a_rescan_says_what_went_and_nothing_of_what_came(sonarr: Talk, ear: Ear) -> None:
    """New files go in without post and history; each lost one is posted."""
    sonarr.act("put", "show", file="Season 2/Severance.S02E03.1080p.mkv")
    sonarr.act("lose", "e11")
    told = await sonarr.command("RescanSeries", seriesId=1)
    assert (told["status"], told["message"]) == ("completed", "Scanning Severance")
    [body] = await heard(ear, 1)
    assert (body["deleteReason"], body["episodes"][0]["seasonNumber"]) == ("missingFromDisk", 1)
    paths = [each["relativePath"] for each in await sonarr.get("/episodefile", seriesId="1")]
    assert "Season 2/Severance.S02E03.1080p.mkv" in paths
    assert [each["eventType"] for each in (await sonarr.get("/history"))["records"]] == ["episodeFileDeleted"]


async def test_a_root_that_is_gone_loses_nothing(sonarr: Talk, ear: Ear) -> None:
    """The rescan says that all went well; the root says that it cannot be reached; so does the health."""
    sonarr.act("offline")
    told = await sonarr.command("RescanSeries", seriesId=1)
    assert (told["status"], told["result"], told.get("message")) == ("completed", "successful", None)
    assert await sonarr.get("/rootfolder") == [{"path": "/tv", "accessible": False, "id": 1}]
    assert [each["source"] for each in await sonarr.get("/health")] == ["RootFolderCheck"]
    assert len(await sonarr.get("/episodefile", seriesId="1")) == 6
    sonarr.act("online")
    assert (await sonarr.get("/rootfolder"))[0]["accessible"]
    assert ear.posts == []


async def test_a_folder_missing_in_a_root_that_holds_others_loses_all(radarr: Talk, ear: Ear) -> None:
    """One post for each file: the burst of a disk below the root that is gone."""
    radarr.act("lose", "arrival")
    await radarr.command("RescanMovie")
    assert [each["deleteReason"] for each in await heard(ear, 1)] == ["missingFromDisk"]


async def test_a_known_link_that_leads_nowhere_fails_the_rescan(sonarr: Talk, ear: Ear) -> None:
    """The record stays, nothing is posted; RefreshSeries says that all went well."""
    sonarr.act("break_link", "e11")
    told = await sonarr.command("RescanSeries", seriesId=1)
    assert (told["status"], told["message"]) == ("failed", "Failed")
    assert "FileNotFoundException" in told["exception"]
    assert (await sonarr.command("RefreshSeries", seriesId=1))["status"] == "completed"
    assert ear.posts == []


async def test_a_moved_folder_is_told_by_nobody(sonarr: Talk, ear: Ear) -> None:
    """No post, no record; the series has another path."""
    sonarr.act("move_folder", "show", to="/tv/Severance (2022)")
    assert (await sonarr.get("/series/1"))["path"] == "/tv/Severance (2022)"
    assert (await sonarr.get("/episodefile", seriesId="1"))[0]["path"].startswith("/tv/Severance (2022)/")
    assert ear.posts == []
    assert (await sonarr.get("/history"))["totalRecords"] == 0


async def test_a_failed_post_is_never_repeated(sonarr: Talk, ear: Ear) -> None:
    """Whoever answered 503 once has missed it."""
    ear.status = 503
    sonarr.act("import", "e23")
    await wait_until(lambda: sonarr.posts.failed == 1)
    ear.status = 200
    sonarr.act("delete_file", "e23")
    await wait_until(lambda: sonarr.posts.sent == 1)
    assert [post.json()["eventType"] for post in ear.posts] == ["Download", "EpisodeFileDelete"]


async def test_setting_up_a_webhook_posts_a_test(radarr: Talk, ear: Ear) -> None:
    """400 with what was answered, 500 where nobody listens, a name only once; passwords come back masked."""
    fields = [{"name": "url", "value": f"{ear.url}/x"}, {"name": "username", "value": "u"}]
    body = {"name": "hub", "implementation": "Webhook", "configContract": "WebhookSettings"}
    body |= {"fields": [*fields, {"name": "password", "value": "p"}], "onDownload": True}
    created = await radarr.ask("POST", "/notification", body)
    assert created.status == 201
    [test] = await heard(ear, 1)
    assert (test["eventType"], test["movie"]["folderPath"]) == ("Test", "C:\\testpath")
    shown = {each["name"]: each.get("value") for each in created.body["fields"]}
    assert shown["password"] == "********"
    again = await radarr.ask("POST", "/notification", body)
    assert (again.status, again.body[0]["errorMessage"]) == (400, "Should be unique")
    ear.status = 503
    refused = await radarr.ask("POST", "/notification/test", body | {"name": "other"})
    assert refused.status == 400
    assert "[503:ServiceUnavailable]" in refused.body[0]["errorMessage"]
    nobody = {"name": "x", "fields": [{"name": "url", "value": "http://127.0.0.1:9/x"}]}
    assert (await radarr.ask("POST", "/notification/test", nobody)).status == 500
    away = {"name": "x", "fields": [{"name": "url", "value": "http://192.0.2.1/x"}]}
    assert (await radarr.ask("POST", "/notification/test", away)).status == 400
    ear.status = 200
    number = created.body["id"]
    assert (await radarr.ask("PUT", f"/notification/{number}", created.body | {"name": "hub2"})).status == 202
    assert (await radarr.ask("DELETE", f"/notification/{number}")).status == 200


async def test_with_a_real_folder_an_import_puts_a_file_there(ear: Ear, tmp_path: Path) -> None:
    """What lies there at the start is known; a rescan finds what a hand put there; a deletion removes it."""
    there = tmp_path / "tv" / "Severance" / "Season 1" / "Severance - S01E01 - Part 1 WEBDL-1080p.mkv"
    there.parent.mkdir(parents=True)
    (tmp_path / "movies").mkdir()
    there.write_bytes(b"x" * 10)
    async with run_world(make_world(ear.url, tmp_path)) as box, aiohttp.ClientSession() as http:
        talk = Talk(http, box, "sonarr")
        [file] = await talk.get("/episodefile", seriesId="1")
        assert (file["path"], file["size"]) == (f"/tv/{there.relative_to(tmp_path / 'tv')}", 10)
        talk.act("import", "e23", size=2000)
        made = tmp_path / "tv/Severance/Season 2/Severance - S02E03 - Part 3 WEBDL-1080p.mkv"
        assert made.stat().st_size == 2000
        (tmp_path / "tv/Severance/Season 1/Severance.S01E02.mkv").write_bytes(b"y")
        await talk.command("RescanSeries", seriesId=1)
        assert len(await talk.get("/episodefile", seriesId="1")) == 3
        talk.act("delete_file", "e11")
        assert not there.exists()
        await heard(ear, 2)


async def test_downloads_are_imported_by_their_names(ear: Ear, tmp_path: Path) -> None:
    """DownloadedEpisodesScan moves what it recognises; what it does not is unsuccessful and stays."""
    for name in ("tv", "movies"):
        (tmp_path / name).mkdir()
    job = tmp_path / "down" / "Severance.S02E01.720p.WEB-DL-GRP"
    job.mkdir(parents=True)
    (job / "Severance.S02E01.720p.WEB-DL-GRP.mkv").write_bytes(b"z")
    async with run_world(make_world(ear.url, tmp_path)) as box, aiohttp.ClientSession() as http:
        talk = Talk(http, box, "sonarr")
        told = await talk.command("DownloadedEpisodesScan", path=str(job))
        assert told["result"] == "successful"
        [body] = await heard(ear, 1)
        assert (tmp_path / body["episodeFile"]["path"].lstrip("/")).exists()
        assert list(job.iterdir()) == []
        told = await talk.command("DownloadedEpisodesScan", path=str(tmp_path / "down"))
        assert (told["result"], told["message"]) == ("unsuccessful", "Failed to import")


@pytest.mark.parametrize("act", ["sing", "mark"])
async def test_an_unknown_act_names_those_there_are(sonarr: Talk, act: str) -> None:
    """As on every emulated server."""
    with pytest.raises(ValueError, match="no act .* import"):
        sonarr.act(act, "e11")
    with pytest.raises(KeyError):
        sonarr.act("import", "nothing")
    with pytest.raises(KeyError):
        sonarr.server.state_rows("anna")


@pytest.mark.parametrize("root", ["D:\\TV", "\\\\nas\\tv"])
async def test_a_sonarr_on_windows_writes_its_own_paths(ear: Ear, tmp_path: Path, root: str) -> None:
    """A drive or a share: backslashes in posts, lists, history and roots, with the file in the real folder behind it."""
    (tmp_path / "tv").mkdir()
    world = make_world(ear.url, tmp_path)
    world.servers = world.servers[:1]
    world.servers[0].libraries[0].root = root
    async with run_world(world) as box, aiohttp.ClientSession() as http:
        talk = Talk(http, box, "sonarr")
        talk.act("import", "e23")
        [body] = await heard(ear, 1)
        relative = "Season 2\\Severance - S02E03 - Part 3 WEBDL-1080p.mkv"
        assert body["series"]["path"] == f"{root}\\Severance"
        assert body["episodeFile"]["relativePath"] == relative
        assert body["episodeFile"]["path"] == f"{root}\\Severance\\{relative}"
        assert (tmp_path / "tv" / "Severance" / "Season 2").is_dir()
        [record] = (await talk.get("/history"))["records"]
        assert record["data"]["importedPath"] == f"{root}\\Severance\\{relative}"
        assert record["data"]["droppedPath"].startswith("/downloads/")
        assert [each["path"] for each in await talk.get("/rootfolder")] == [root]
        talk.act("rename", "e23", to="Season 2\\b.mkv")
        [renamed] = (await heard(ear, 1))[0]["renamedEpisodeFiles"]
        assert (renamed["previousPath"], renamed["path"]) == (
            f"{root}\\Severance\\{relative}",
            f"{root}\\Severance\\Season 2\\b.mkv",
        )
