"""The net under the webhooks when a Sonarr or Radarr fails, is another program, or answers oddly."""

from __future__ import annotations

import time

import pytest

from playhead.adapters._arr.tests.rig import KINDS, Rig
from playhead.adapters._mediabrowser.tests.scripted import run_script
from playhead.adapters.radarr.net import RadarrNet
from playhead.adapters.radarr.settings import RadarrSettings
from playhead.ports.errors import (
    BackendError,
    BadAnswer,
    ServerFault,
    Unauthorized,
    Unreachable,
    WrongServer,
)

AT = 1767323045.0  # 2026-01-02T03:04:05Z


@pytest.mark.parametrize(
    ("fault", "params", "error"),
    [
        ("unauthorized", {}, Unauthorized),
        ("server_error", {"status": 503}, ServerFault),
        ("html", {}, BadAnswer),
        ("invalid_json", {}, BadAnswer),
        ("truncated", {}, Unreachable),
        ("reset", {}, Unreachable),
        ("timeout", {}, Unreachable),
    ],
)
@pytest.mark.parametrize("route", ["*/history", "*/rootfolder", "*series", "*movie", "*file"])
async def test_a_look_that_fails_loses_nothing(
    rig: Rig, fault: str, params: dict[str, int], error: type[BackendError], route: str
) -> None:
    """Whatever goes wrong with whichever request, the next look tells all of it."""
    await rig.look(sweep=True)
    rig.act("import", rig.item(1, "new"))
    rig.act("lose", rig.item(2))
    rig.rescan(2)
    impatient = rig.make_net(timeout_s=1.0)
    impatient._client.http._read_attempts = 1
    rig.fault(fault, f"GET {route}", None, **params)
    failed = None
    try:
        caught = await impatient.catch_up(rig.memory, now=time.time(), sweep=True)
        rig.memory = caught.memory
        told = len(caught.arrivals)
    except BackendError as raised:
        failed, told = raised, 0
    await impatient.close()
    if failed is not None:
        assert isinstance(failed, error)
        assert failed.hint
    rig.box.faults.clear()
    assert told + len(await rig.told(sweep=True)) == 2


async def test_the_probe_says_who_answers(rig: Rig) -> None:
    """The product and its version."""
    info = await rig.net.probe()
    assert info.product == rig.kind.capitalize()
    assert info.version == rig.server.version
    assert info.clock_skew_s is not None


async def test_the_wrong_key_and_the_wrong_program_are_told_apart(rig: Rig) -> None:
    """With the next thing to try."""
    wrong = rig.make_net(key="nonsense")
    with pytest.raises(Unauthorized) as refused:
        await wrong.probe()
    assert "API key" in refused.value.hint
    await wrong.close()
    other = next(kind for kind in KINDS if kind != rig.kind)
    strange = rig.make_net(key=rig.box.server(other).admin_token, url=rig.box.url(other))
    with pytest.raises(WrongServer, match=f"is {other.capitalize()}, not {rig.kind.capitalize()}"):
        await strange.probe()
    await strange.close()
    nowhere = rig.make_net(url="http://127.0.0.1:9")
    nowhere._client.http._read_attempts = 1
    with pytest.raises(Unreachable):
        await nowhere.probe()
    await nowhere.close()


async def test_members_that_are_null_or_odd_do_not_stop_the_net() -> None:
    """What is null is as if it were not there; of a record's data what is no text is not looked at."""
    record = {
        "id": 7,
        "date": "2026-01-02T03:04:05Z",
        "eventType": "downloadFolderImported",
        "movieId": 3,
        "episodeId": None,
        "sourceTitle": None,
        "data": {"importedPath": "/movies/A (2020)/a.mkv", "fileId": "9", "size": 5, "indexer": None},
    }
    grabbed = {**record, "id": 6, "eventType": "grabbed", "data": None}
    movie = {
        "id": 3,
        "title": None,
        "path": "/movies/A (2020)",
        "tmdbId": 5,
        "statistics": {"sizeOnDisk": None},
    }
    async with run_script() as script:
        script.answer("GET /api/v3/history", {"totalRecords": 1, "records": [{**grabbed, "id": 1}]})
        script.answer("GET /api/v3/history", {"totalRecords": 2, "records": [record, grabbed]})
        script.answer("GET /api/v3/movie/3", movie)
        script.answer("GET /api/v3/movie", [movie])
        net = RadarrNet(RadarrSettings(url=script.url), "key")
        first = await net.catch_up(None, now=AT, sweep=False)
        (arrival,) = (await net.catch_up(first.memory, now=AT, sweep=True)).arrivals
        assert (arrival.what, arrival.paths, arrival.folder, arrival.title) == (
            "arrived",
            ("/movies/A (2020)/a.mkv",),
            "/movies/A (2020)",
            "",
        )
        await net.close()
