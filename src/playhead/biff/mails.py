"""Finds the finished downloads in a mail. Knows how programs word their mails; nothing of libraries, servers or the hub.

Python 3.9 and its standard library alone: this goes into the script for machines without Playhead.
"""

from __future__ import annotations

import email
import email.header
import html
import re
from contextlib import suppress
from email.message import Message
from itertools import islice
from typing import NamedTuple, Sequence  # noqa: UP035 - Python 3.9

MAIL_BYTES, LINES, LINE_CHARS, PARTS = 1024 * 1024, 20_000, 2_000, 100
NAMES_A_MAIL, NAME_BYTES = 100, 255


class Mail(NamedTuple):
    """What is looked at: one text, plain or made of HTML, as lines."""

    subject: str
    sender: str
    program: str
    lines: list[str]


class Download(NamedTuple):
    """A finished download: a file or a folder, and where the program put it, "" = not told."""

    name: str
    folder: str = ""


def read_mails(raw: bytes) -> list[Mail]:
    """The mail's texts in the order in which they are worth looking at: plain text, then HTML."""
    message = email.message_from_bytes(raw)
    subject, sender, program = (
        _decode_header(message, name) for name in ("Subject", "From", "X-Application")
    )
    texts: dict[str, list[str]] = {"plain": [], "html": []}
    for part in islice(message.walk(), PARTS):
        kind = part.get_content_subtype()
        if part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment":
            texts["html" if kind == "html" else "plain"].append(_decode_text(part))
    found = ["\n".join(texts["plain"]), strip_html("\n".join(texts["html"]))]
    return [Mail(subject, sender, program, cut_lines(text)) for text in found if text.strip()] or [
        Mail(subject, sender, program, [])
    ]


def cut_lines(text: str) -> list[str]:
    """Lines of bounded length and number, without the blanks around them."""
    return [line[:LINE_CHARS].strip() for line in islice(re.split(r"\r\n|\n|\r", text), LINES)]


def _decode_header(message: Message, name: str) -> str:
    try:
        parts = email.header.decode_header(str(message.get(name, ""))[: 4 * LINE_CHARS])
        text = "".join(_decode(part, charset) if isinstance(part, bytes) else part for part, charset in parts)
    except (ValueError, LookupError):  # what is no encoded word after all
        text = str(message.get(name, ""))
    return " ".join(text.split())[:LINE_CHARS]


def _decode_text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return _decode(payload, part.get_content_charset()) if isinstance(payload, bytes) else ""


def _decode(raw: bytes, charset: str | None) -> str:
    for candidate in (charset, "utf-8"):
        with suppress(LookupError, ValueError):
            return raw.decode(candidate or "utf-8")
    return raw.decode("cp1252", "replace")


def strip_html(text: str) -> str:
    """What a reader sees, each block and table cell on a line of its own."""
    text = re.sub(r"(?is)<(style|script|head)\b.*?(?:</\1\s*>|\Z)", " ", text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"(?i)<p\b[^<>]*>(?: |&nbsp;)*</p>|<br\b[^<>]*>", "\n", text)
    text = re.sub(r"(?i)</?(?:p|div|tr|td|th|li|ul|ol|table|h[1-6])\b[^<>]*>", "\x01", text)
    text = re.sub(r"[ \x01]*\x01[ \x01]*", "\x01", re.sub(r"<[^<>]*>", "", text))
    text = re.sub(r"(?:\A|(?<=\n))\x01", "", text).replace("\x01", "\n")  # a block begins no second line
    return html.unescape(text).replace("\xa0", " ")


FAILED = re.compile(
    r"fail|error|abort|cancel|fehl|abgebrochen|échou|erreur|falli|errore|error|fout|mislukt|błąd|ошибк|失敗|失败|실패",
    re.I,
)
VIDEO = re.compile(
    r"\.(?:3gp|asf|avi|divx|flv|iso|m2ts|m4v|mkv|mov|mp4|mpe?g|ogm|rmvb|ts|vob|webm|wmv|mp3|flac|m4a|m4b|epub)\Z",
    re.I,
)
SAMPLE = re.compile(r"(?:^|[\W_])sample(?:[\W_]|\Z)", re.I)
LABELLED = re.compile(r"([^:：]{2,60}?)\s*[:：]\s*(.+)")
LOOKS_LIKE_PATH = re.compile(r"/|[A-Za-z]:[\\/]|\\\\")


def find_qbittorrent(mail: Mail) -> list[Download]:
    """By its words, in other languages by their order: name, size, folder."""
    if not re.search(r"\[qBittorrent\]", mail.subject) and "qBittorrent" not in "\n".join(mail.lines):
        return []
    told = [(match[1], match[2]) for line in mail.lines if (match := LABELLED.fullmatch(line))]
    words = {label.lower(): value for label, value in reversed(told)}
    if "torrent name" in words:
        return [Download(words["torrent name"], words.get("save path", ""))]
    if len(told) >= 3 and LOOKS_LIKE_PATH.match(told[2][1]):
        return [Download(told[0][1], told[2][1])]
    match = re.search(r"\[qBittorrent\]\s+'?(.+?)'? has finished downloading", mail.subject)
    return [Download(match[1])] if match else []


def find_nzbget(mail: Mail) -> list[Download]:
    """The files that it lists, where it lists any worth watching; else the download's name."""
    text = "\n".join(mail.lines)
    match = re.search(r'^Download of "(.+)" has successfully completed', text, re.M)
    match = match or re.match(r'Success for "(.+)"\Z', mail.subject)
    if match is None or (mail.program != "NZBGet" and "Success for" not in mail.subject):
        return []
    if "Files:" not in mail.lines:
        return [Download(match[1])]
    start = mail.lines.index("Files:") + 1
    listed = mail.lines[start : next((n for n in range(start, len(mail.lines)) if not mail.lines[n]), None)]
    files = [Download(name) for name in listed if VIDEO.search(name) and not SAMPLE.search(name)]
    return files or [Download(match[1])]


def find_sabnzbd(mail: Mail) -> list[Download]:
    """The quoted name in its sentence, whatever the language; not where sentence or subject tell of a failure."""
    for line in mail.lines:
        match = re.match(r'([^"“„«]*\bSABnzbd\b[^"“„«]*)["“„«]\s?(.+?)\s?["”“»](?:[^"”“»]*)\Z', line)
        if match:
            name = re.sub(r'"\s*\(newzbin #.*', "", match[2])
            failed = FAILED.search(match[1]) or FAILED.search(mail.subject.replace(name, ""))
            return [] if failed else [Download(name)]
    match = re.match(r"SABnzbd has completed job (.+)", mail.subject)
    return [Download(match[1])] if match else []


def find_transmission(mail: Mail) -> list[Download]:
    """The variables of its script, mailed as they are; or the sentences of scripts that people share."""
    names = re.findall(r"^TR_TORRENT_NAME=(.+)", "\n".join(mail.lines), re.M)
    folders = re.findall(r"^TR_TORRENT_DIR=(.+)", "\n".join(mail.lines), re.M)
    if names:
        return [Download(name, folders[n] if n < len(folders) else "") for n, name in enumerate(names)]
    told = re.compile(
        r"(?:Torrent (?:done|finished|completed?)\s*:\s*|Transmission (?:has )?finished downloading )[\"']?(.+?)[\"']?\.?\Z",
        re.I,
    )
    found = [Download(match[1]) for line in mail.lines if (match := told.match(line))]
    match = re.match(r"\[torrent-done\] (.+)", mail.subject)
    return found or ([Download(match[1])] if match else [])


FILE_WORDS = """file|files|file name|filename|datei|dateien|dateiname|fichier|fichiers|nom du fichier|nome file|archivo|archivos|
nombre de archivo|ficheiro|arquivo|nome do arquivo|bestand|bestanden|bestandsnaam|fil|filer|filnavn|filnamn|plik|pliki|
nazwa pliku|soubor|soubory|fájl|dosya|файл|файлы|имя файла|ファイル|ファイル名|檔案|檔名|文件|文件名|파일|파일 이름"""
PLACE_WORDS = """location|destination|folder|speicherort|ort|ziel|zielordner|emplacement|dossier|posizione|percorso|destinazione|
ubicación|destino|localização|local|locatie|bestemming|plats|placering|plassering|lokalizacja|umístění|hely|konum|расположение|
размещение|место|場所|保存先|位置|목적지|위치"""
_ANY_FILE, _ANY_PLACE = (words.replace("\n", "") for words in (FILE_WORDS, PLACE_WORDS))
_LABEL = re.compile(rf"(?:(?P<file>{_ANY_FILE})|(?P<place>{_ANY_PLACE}))\s*[:：]\s*(?P<value>.*)", re.I)
_SYNOLOGY = re.compile(r"download task|download ?station|synology|diskstation", re.I)


def find_synology(mail: Mail) -> list[Download]:
    """Labels with their values on the same or the next lines: files up to an empty line, then where they are."""
    if not any(_SYNOLOGY.search(text) for text in (mail.subject, mail.sender, *mail.lines)):
        return []
    first = next((n for n, line in enumerate(mail.lines) if _LABEL.fullmatch(line)), len(mail.lines))
    if FAILED.search(mail.subject) or any(FAILED.search(line) for line in mail.lines[:first]):
        return []
    groups: list[dict[str, list[str]]] = []
    into: list[str] = []
    for line in mail.lines[first:]:
        if match := _LABEL.fullmatch(line):
            if match["file"] or not groups:
                groups.append({"file": [], "place": []})
            into = groups[-1]["file" if match["file"] else "place"]
            line = match["value"]
        elif (not line and into) or re.fullmatch(r"[^:：]{2,40}[:：](?! *\S.*\.\w{2,4}$).*", line):
            into = []  # an empty line, or another label: what follows is no file
            continue
        if line:
            into.append(line)
    return [Download(name, "/".join(group["place"][:1])) for group in groups for name in group["file"]]


SOURCES = {
    "qBittorrent": find_qbittorrent,
    "NZBGet": find_nzbget,
    "SABnzbd": find_sabnzbd,
    "Transmission": find_transmission,
    "Download Station": find_synology,
}


def find_own(mail: Mail, patterns: Sequence[re.Pattern[str]]) -> list[Download]:
    """What patterns of one's own find in subject and text, by their groups ``name`` and ``folder``."""
    text = "\n".join([mail.subject, *mail.lines])
    found = [match.groupdict() for each in patterns for match in islice(each.finditer(text), NAMES_A_MAIL)]
    return [Download(groups.get("name") or "", groups.get("folder") or "") for groups in found]


def find_downloads(raw: bytes, patterns: Sequence[re.Pattern[str]] = ()) -> tuple[str, list[Download]]:
    """Who wrote the mail and what it names, each once; patterns of one's own go first."""
    sources = {"your pattern": lambda mail: find_own(mail, patterns), **SOURCES}
    found: list[tuple[str, list[Download]]] = [("", [])]
    for mail in read_mails(raw):
        for source, find in sources.items():
            names = [plain for each in find(mail) if (plain := make_plain(each)) is not None]
            if names:
                found.append((source, list(dict.fromkeys(names))[:NAMES_A_MAIL]))
                break
    return max(found, key=lambda each: (len(each[1]), any(download.folder for download in each[1])))


def make_plain(download: Download) -> Download | None:
    """A bare name with its folder; None for what can be no name of a file."""
    path = download.name.strip().rstrip("/\\")
    cut = max(path.rfind("/"), path.rfind("\\")) + 1
    name, folder = path[cut:], "/".join(filter(None, [download.folder.strip(), path[:cut].rstrip("/\\")]))
    if name in ("", ".", "..") or re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", name + folder):
        return None
    return Download(name, folder) if len(name.encode()) <= NAME_BYTES else None
