"""Passes a mail on and posts the finished downloads that it names to a Playhead hub; for procmail, sieve and fetchmail.

The mail comes first: with ``-e`` it is passed on byte for byte before anything is looked at, and whatever fails later is one more
line below it. Python 3.9 and its standard library alone.
"""

from __future__ import annotations

import argparse
import configparser
import os
import re
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO, Mapping, NamedTuple, Sequence  # noqa: UP035 - Python 3.9

from playhead.biff.mails import MAIL_BYTES, Download, find_downloads
from playhead.biff.posting import Outcome, Settings, change_spool, deliver, deliver_spool, name_body

RESULT_CHARS = 400
CONFIGS = ("~/.config/playhead/biff.ini", "/etc/playhead/biff.ini")
SPOOL = "~/.local/state/playhead/biff.ndjson"
SAID = ("url", "key_file", "spool", "ca_file", "pattern", "location", "timeout_s", "paths")
VARIABLES = {"url": "PLAYHEAD_URL", "key": "PLAYHEAD_API_KEY", "spool": "PLAYHEAD_BIFF_SPOOL"}
DONE, NOTHING_DONE, USAGE, NOT_PASSED_ON = 0, 1, 2, 74


class Mistake(Exception):
    """A flag or setting that is wrong."""


class Passed(NamedTuple):
    """A mail's beginning, whether all of it went out, and whether it ended with a line."""

    head: bytes
    whole: bool
    ended: bool


def pass_on(source: BinaryIO, target: BinaryIO | None) -> Passed:
    """Copy a mail, chunk by chunk, however long it is."""
    head, whole, last = bytearray(), True, b"\n"
    while chunk := source.read(64 * 1024):
        head += chunk[: MAIL_BYTES - len(head)]
        last = chunk[-1:]
        if target is not None and whole:
            try:
                target.write(chunk)
                target.flush()
            except OSError:
                whole = False
    return Passed(bytes(head), whole, last == b"\n")


# What is set: by flags, else by the environment, else in a file.


def read_settings(flags: argparse.Namespace, environment: Mapping[str, str]) -> Settings:
    """The settings of one run. Raises Mistake."""
    said = _read_config(flags.config or environment.get("PLAYHEAD_BIFF_CONFIG"))
    for name, variable in VARIABLES.items():
        said[name] = environment.get(variable) or said.get(name, "")
    said.update({name: value for name in SAID if (value := getattr(flags, name)) is not None})
    unused = flags.dry_run and not said.get("url")
    if not unused and not re.match(r"https?://[^\s/]+", said.get("url", "")):
        raise Mistake("no address of the hub; give --url, PLAYHEAD_URL, or 'url' in the settings file")
    patterns = said.get("pattern", [])
    try:
        if said.get("key_file") and not said["key"]:
            said["key"] = Path(said["key_file"]).expanduser().read_text(encoding="utf-8")
        if not re.fullmatch(r"[!-~]*", said["key"].strip()):
            raise Mistake("the key holds what no key can hold; is it the right file?")
        return Settings(
            url=said.get("url", "").strip(),
            key=said["key"].strip(),
            spool=None if said.get("spool") == "none" else Path(said.get("spool") or SPOOL).expanduser(),
            ca_file=said.get("ca_file", ""),
            timeout_s=min(max(float(said.get("timeout_s", 10)), 0.1), 60.0),
            patterns=[
                compile_pattern(each)
                for each in (patterns.splitlines() if isinstance(patterns, str) else patterns)
            ],
            location=re.compile(said["location"], re.I) if said.get("location") else None,
            paths=str(said.get("paths", "")).lower() in ("1", "true", "yes", "on"),
        )
    except (OSError, ValueError, re.error) as error:
        raise Mistake(str(error)) from error


def compile_pattern(text: str) -> re.Pattern[str]:
    """A pattern of one's own; ``^`` and ``$`` stand for the ends of a line. Raises Mistake where it names no file."""
    pattern = re.compile(text.strip(), re.M)
    if "name" not in pattern.groupindex:
        raise Mistake(f"the pattern {text!r} has no group (?P<name>...)")
    return pattern


def _read_config(path: str | None) -> dict[str, Any]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        found = parser.read(
            [path] if path else [os.path.expanduser(each) for each in CONFIGS[::-1]], encoding="utf-8"
        )
    except (configparser.Error, ValueError) as error:
        raise Mistake(f"the settings file cannot be read: {error}") from error
    if path and not found:
        raise Mistake(f"the settings file {path} is not there, or may not be read")
    said = dict(parser["biff"]) if parser.has_section("biff") else {}
    if unknown := sorted(set(said) - set(SAID) - {"key"}):
        raise Mistake(f"the settings file has {', '.join(unknown)}; known are key, {', '.join(SAID)}")
    if "pattern" in said:
        said["pattern"] = said["pattern"].strip()
    return said


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise Mistake(message)


_SWITCHES = (
    ("-e", "--echo", "pass the mail on, byte for byte, with the result below it"),
    ("-q", "--quiet", "no result lines"),
    ("--deliver", "read no mail, only send what waits"),
    ("--dry-run", "post nothing, say what would be"),
    ("--strict", "exit 1 where not all was taken, 2 where a setting is wrong; else 0"),
)


def make_parser() -> argparse.ArgumentParser:
    """The flags. There is none for the key: others on the machine could read it."""
    what = "Posts the finished downloads named in a mail on standard input to Playhead."
    parser = _Parser(prog="biff", description=what)
    for *names, text in _SWITCHES:
        parser.add_argument(*names, action="store_true", help=text)
    add, files = parser.add_argument, ", ".join(CONFIGS)
    add("--url", help="the hub, such as http://10.0.0.2:7529; else PLAYHEAD_URL")
    add("--key-file", metavar="FILE", help="a file with its key; else PLAYHEAD_API_KEY")
    add("--config", metavar="FILE", help=f"settings under [biff]; else PLAYHEAD_BIFF_CONFIG, {files}")
    own = "of your own, with (?P<name>) and perhaps (?P<folder>); may be given again"
    add("--pattern", metavar="REGEX", action="append", help=own)
    add("--location", metavar="REGEX", help="only downloads whose folder, as the mail has it, matches")
    whole = "post whole paths where the mail has them, not bare names"
    add("--paths", action="store_const", const="yes", help=whole)
    kept = f"where waits what the hub did not take; 'none' = nowhere; else {SPOOL}"
    add("--spool", metavar="FILE", help=kept)
    add("--ca-file", metavar="FILE", help="certificates to check an https hub by")
    add("--timeout", metavar="SECONDS", dest="timeout_s", help="for one answer of the hub; else 10")
    return parser


# What it does.


def find_bodies(settings: Settings, raw: bytes) -> tuple[list[str], list[dict[str, Any]]]:
    """What to say of a mail, and what to post for it."""
    source, downloads = find_downloads(raw, settings.patterns)
    told, bodies = [], []
    for each in downloads:
        if settings.location and not settings.location.search(each.folder):
            told.append(f"{each.name}: left alone, it lies in '{each.folder}'")
        else:
            bodies.append(make_body(each, settings.paths))
    return told if source else ["no finished download is named here"], bodies


def make_body(download: Download, paths: bool) -> dict[str, Any]:
    """The hub finds a bare name by itself; a whole path only where the hub sees the same folders as the sender."""
    if not (paths and re.match(r"/|[A-Za-z]:[\\/]|\\\\", download.folder)):
        return {"name": download.name}
    slash = "/" if "/" in download.folder else "\\"
    return {"paths": [download.folder.rstrip("\\/") + slash + download.name]}


def act(settings: Settings, raw: bytes, flags: argparse.Namespace) -> tuple[list[str], bool]:
    """Post what a mail names, then what waits; what to say, and whether all was taken that there was."""
    told, bodies = ([], []) if flags.deliver else find_bodies(settings, raw)
    if flags.dry_run:
        return told + [
            f"{name_body(body)}: would be posted to {settings.url or 'the hub'}" for body in bodies
        ], bool(bodies)
    kept: list[dict[str, Any]] = []
    taken = 0
    for body in bodies:
        outcome = Outcome(False, True, "as the one before") if kept else deliver(settings, body)
        taken += outcome.taken
        told.append(f"{name_body(body)}: {outcome.words}")
        if outcome.again:
            kept.append(body)
            told[-1] += "; it is sent later" if settings.spool else "; it is lost, for there is no spool"
    if settings.spool is None or kept:
        if settings.spool:
            change_spool(settings.spool, add=kept)
        return told, 0 < taken == len(bodies)
    told += deliver_spool(settings, settings.spool, time.time())
    return told or ["nothing waits that the hub takes now"], flags.deliver or 0 < taken == len(bodies)


def main(
    arguments: Sequence[str] | None = None, source: BinaryIO | None = None, target: BinaryIO | None = None
) -> int:
    """Run with the arguments; standard input and output where none are given."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    flags, mistake = _parse(arguments)
    if source is None and sys.stdin is not None and sys.stdin.isatty() and not flags.deliver:
        sys.stderr.write("Playhead: waiting for a mail on standard input; Ctrl-D ends it, Ctrl-C leaves\n")
    source, target = source or sys.stdin.buffer, target or sys.stdout.buffer
    mail = pass_on(source, target if flags.echo else None) if not flags.deliver else Passed(b"", True, True)
    done, told = False, [f"nothing was posted: {mistake}"]
    try:
        if mistake is None:
            told, done = act(read_settings(flags, os.environ), mail.head, flags)
    except Mistake as error:
        mistake, told = error, [f"nothing was posted: {error}"]
    except Exception as error:  # noqa: BLE001 - told below the mail, which must go on whatever happens
        told = [f"nothing was posted: {type(error).__name__}: {error}"]
    if not (mail.whole and say(told, flags, mail, target)):
        return NOT_PASSED_ON  # procmail then keeps the mail as it was
    wrong = USAGE if mistake else DONE if done else NOTHING_DONE
    return wrong if flags.strict or (mistake and not flags.echo) else DONE


def _parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, Mistake | None]:
    parser = make_parser()
    try:
        return parser.parse_args(arguments), None
    except Mistake as error:  # the mail is passed on nevertheless
        flags = parser.parse_args([])
        flags.echo = any(re.fullmatch(r"--ec?h?o?|-[a-z]*e[a-z]*", each) for each in arguments)
        flags.strict = "--strict" in arguments
        return flags, error


def say(told: Sequence[str], flags: argparse.Namespace, mail: Passed, target: BinaryIO) -> bool:
    """Print the result: below the mail, or where that would be no text any more, on standard error."""
    lines = [
        "Playhead: "
        + re.sub(r"[^\S ]|[\x00-\x1f\x7f-\x9f\u2028-\u202e\ud800-\udfff]", " ", each)[:RESULT_CHARS]
        for each in told
    ]
    text = "".join(line + "\n" for line in ([] if flags.quiet else lines)).encode()
    header = re.split(rb"\r?\n\r?\n", mail.head, maxsplit=1)[0]
    if flags.echo and re.search(rb"(?im)^content-transfer-encoding:\s*base64\s*$", header):
        sys.stderr.write(text.decode())
        return True
    try:
        target.write(b"\n" + text if flags.echo and text and not mail.ended else text)
        target.flush()
    except OSError:
        return not flags.echo
    return True


if __name__ == "__main__":
    sys.exit(main())
