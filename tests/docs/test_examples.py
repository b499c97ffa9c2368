"""Every example in the README and in docs is run, and every link leads somewhere.

A line ``$ bin/run ...`` in a console block is run on the demo's servers in the order of the page, in one home folder. Pages that
connect start with nothing connected, the others with all three servers connected and in agreement. ``# exit N`` names the
exit code where it is not 0.
"""

from __future__ import annotations

import io
import json
import re
import shlex
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from playhead.faces.cli.demo_world import EMBY, JELLYFIN, PERSON, PLEX
from playhead.faces.cli.reference import render_commands, render_settings
from playhead.flows.signing_in import Tell, wait_for_approval
from playhead.ports.signing_in import CodeShown, SignsInByCode
from playhead.sandbox.run import SandboxHandle
from playhead.settings import read_settings
from tests.faces.conftest import Cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OURS = [page for page in PAGES if page.parts[-2] != "decisions"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)")
PLACES = {PLEX: "http://10.0.0.5:32400", JELLYFIN: "http://10.0.0.6:8096", EMBY: "http://10.0.0.7:8096"}
KINDS = {PLEX: "plex", JELLYFIN: "jellyfin", EMBY: "emby"}


def blocks(page: Path, language: str) -> list[str]:
    return [body for found, body in BLOCK.findall(page.read_text()) if found == language]


def examples(page: Path) -> list[tuple[str, int]]:
    """Command lines with their exit codes."""
    found = []
    for body in blocks(page, "console"):
        for line in body.splitlines():
            if line.startswith("$ "):
                command, _, note = line[2:].partition("   # exit ")
                found.append((command.strip(), int(note or 0)))
    return found


def pages_with_examples() -> list[Path]:
    return [page for page in OURS if examples(page)]


@pytest.fixture
def prepare(cli: Cli, world: SandboxHandle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SandboxHandle:
    """Tokens in the environment, a servers.yaml and a manager's YAML in the current folder."""
    for name in PLACES:
        monkeypatch.setenv(f"{KINDS[name].upper()}_TOKEN", world.token(name, PERSON))
    (tmp_path / "servers.yaml").write_text(
        f"cabin: {{type: emby, url: '{world.url(EMBY)}', token: {world.token(EMBY, PERSON)}, "
        "import: {enabled: true}, export: {enabled: true}}\n"
    )
    (tmp_path / "plex-cluster-manager.yml").write_text(
        f"hosts: [{{host: plex.example.org, port: 8443, token: {world.token(PLEX, PERSON)}}}]\n"
    )
    monkeypatch.setenv("CLUSTER_MANAGER_TOKEN", "shared-secret")
    monkeypatch.chdir(tmp_path)
    let_sign_in(world, monkeypatch)
    return world


def let_sign_in(world: SandboxHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is asked to approve a code does so at once, and types the password, which is empty."""

    async def approve(sign_in: SignsInByCode, shown: CodeShown, tell: Tell) -> None:
        place = PLEX if "clientID=" in shown.where else JELLYFIN
        world.server(place).act(PERSON, "", "enter_code", at=None, args={"code": shown.code})
        await wait_for_approval(sign_in, shown, tell)

    monkeypatch.setattr("playhead.faces.cli.signing_in.wait_for_approval", approve)
    monkeypatch.setattr("sys.stdin", io.StringIO("\n" * 20))


def translate(command: str, world: SandboxHandle) -> list[str]:
    """The arguments of a documented command, its addresses those of the emulated servers."""
    program, *arguments = shlex.split(command)
    assert program == "bin/run", command
    for name, place in PLACES.items():
        arguments = [argument.replace(place, world.url(name)) for argument in arguments]
    if arguments[:2] == ["adopt", "plex-cluster"]:
        arguments += ["--option", f"plex_tv_url={world.extra_urls['plextv']}"]
    if arguments[:2] == ["connect", "plex"] and "--yes" in arguments:
        arguments += ["--plex-tv-url", world.extra_urls["plextv"]]
    return arguments


def connect_all(cli: Cli, world: SandboxHandle) -> None:
    for name, kind in KINDS.items():
        command = f"bin/run connect {kind} --name {name} --url {PLACES[name]} --token env:{kind.upper()}_TOKEN --yes"
        ran = cli(*translate(command, world))
        assert ran.code == 0, ran.err
    assert cli("sync").code == 0


@pytest.mark.parametrize("page", pages_with_examples(), ids=lambda page: page.name)
def test_the_examples_of_the_page_work(page: Path, cli: Cli, prepare: SandboxHandle) -> None:
    """Each command line, in order, with the exit code that the page names."""
    commands = examples(page)
    starts_empty = any(" connect " in command or " adopt " in command for command, _ in commands)
    if not starts_empty or page.name == "troubleshooting.md":
        connect_all(cli, prepare)
    if page.name == "answer-what-is-held.md":
        for row in prepare.server(EMBY).state_rows(PERSON):
            if row.watched:
                prepare.server(EMBY).act(PERSON, row.item, "unmark", at=None, args={})
    for command, expected in commands:
        arguments = translate(command, prepare)
        if arguments in ([], ["connect", "plex"]):
            continue  # the demo that stays up, and the questions at a terminal: tested elsewhere
        ran = cli(*arguments)
        assert ran.code == expected, f"{command}\n{ran.out}\n{ran.err}"
        assert ran.out.strip(), command


@pytest.mark.parametrize("page", OURS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """Relative links are files of the project."""
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", OURS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_settings_and_json_sample_is_valid(page: Path) -> None:
    """YAML samples are valid settings, JSON samples are JSON."""
    if page.name == "sandbox.md":
        return  # the sandbox's own tests read that page
    for body in blocks(page, "yaml"):
        read_settings(YAML(typ="safe", pure=True).load(body))
    for body in blocks(page, "json"):
        json.loads(body)


def test_the_readme_shows_what_the_demo_prints(cli: Cli) -> None:
    """Every line of its sample stands in the demo's own words and order."""
    sample = blocks(ROOT / "README.md", "text")[0]
    ran = cli("demo", "--once")
    assert ran.code == 0, ran.err
    printed = [" ".join(line.split()) for line in ran.out.splitlines()]
    place = 0
    for line in filter(None, (" ".join(line.split()) for line in sample.splitlines())):
        place = next(
            (
                n
                for n, shown in enumerate(printed)
                if n >= place and shown.startswith(line.removesuffix(" …"))
            ),
            -1,
        )
        assert place >= 0, f"the demo does not print: {line}"


def test_the_reference_pages_are_current() -> None:
    """Made anew with: python -m playhead.faces.cli.reference docs/reference."""
    assert (ROOT / "docs/reference/cli.md").read_text() == render_commands()
    assert (ROOT / "docs/reference/settings.md").read_text() == render_settings()


def test_troubleshooting_is_titled_with_messages_that_exist() -> None:
    """Each fixed part of a title stands in the source, or in the scripts that start it."""
    files = [*(ROOT / "src").rglob("*.py"), ROOT / "bin" / "bootstrap"]
    source = "\n".join(path.read_text() for path in files if "tests" not in path.parts)
    joined = re.sub(r'"\s*\n\s*f?"', "", source)
    titles = re.findall(r"^## (.+)$", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE)
    assert len(titles) > 10
    for title in titles:
        for part in re.split(r"'?…'?", title):
            words = part.strip(" .,:()'")
            assert len(words) < 4 or words in joined, f"no message says: {words!r} (of {title!r})"
