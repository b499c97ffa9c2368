"""``playhead doctor``: look at everything and say what to try where something is not well."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import typer
from rich.text import Text

from playhead.faces.cli.options import HomeOption, JsonFlag, Verbosity
from playhead.faces.cli.screen import as_typed, make_table
from playhead.faces.cli.session import Session
from playhead.flows.doctor import Finding
from playhead.runtime.exits import Exit
from playhead.wiring.examining import examine

_FOLDED_FROM = 4  # as many good findings on one server are told in one row
_MARKS = {"ok": ("ok", "green"), "warn": ("look", "yellow"), "fail": ("FAILS", "bold red")}


def doctor(home: HomeOption = None, json: JsonFlag = False, verbose: Verbosity = 0) -> None:
    """Look at the home folder, settings, database and every server; changes nothing."""
    session = Session(home, as_json=json, verbose=verbose)
    with session.screen.waiting("Looking ..."):
        findings = asyncio.run(examine(session.installation))
    failed = [finding for finding in findings if finding.result == "fail"]
    session.screen.give({"ok": not failed, "findings": msgspec.to_builtins(findings)})
    table = make_table("", "check", "of", "finding")
    here = _name_files(findings, str(session.installation.home.path))
    for finding in here if verbose else _fold(here):
        mark, style = _MARKS[finding.result]
        table.add_row(Text(mark, style=style), finding.check, finding.subject, _say(finding))
    session.screen.show(table)
    warned = sum(finding.result == "warn" for finding in findings)
    session.screen.say(
        f"\n{len(failed)} of {len(findings)} checks failed, {warned} to look at."
        if failed or warned
        else f"\nAll {len(findings)} checks are well{'' if verbose else '; -v shows each'}."
    )
    raise typer.Exit(Exit.failed if failed else Exit.done)


def _name_files(findings: Sequence[Finding], home: str) -> list[Finding]:
    """The files of the home folder by their names alone, so that the table fits; its path stands once."""
    named = []
    for finding in findings:
        if finding.subject == home:
            message = f"{home} {finding.message}"
            named.append(msgspec.structs.replace(finding, subject="home folder", message=message))
        else:
            subject = finding.subject.removeprefix(f"{home}/")
            named.append(msgspec.structs.replace(finding, subject=subject))
    return named


def _fold(findings: Sequence[Finding]) -> list[Finding]:
    """What is well with a server in one row, in which its first finding stands; what is not well stays as it is."""
    well: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.result == "ok":
            well.setdefault(finding.subject, []).append(finding)
    folded: list[Finding] = []
    for finding in findings:
        same = well.get(finding.subject, [])
        if finding.result != "ok" or len(same) < _FOLDED_FROM:
            folded.append(finding)
        elif finding is same[0]:
            others = ", ".join(each.check for each in same[1:])
            message = f"{finding.message}; {others}: well"
            folded.append(msgspec.structs.replace(finding, message=message))
    return folded


def _say(finding: Finding) -> str:
    hint = "" if finding.result == "ok" or not finding.hint else f" {finding.hint}"
    message = finding.message.rstrip(".")
    return as_typed(f"{message}.{hint}" if hint else message)
