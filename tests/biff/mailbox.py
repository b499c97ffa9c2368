"""Mails as download programs write them, with what each names.

What is known: Download Station's English labels (a filter that people used read them), qBittorrent's, NZBGet's and SABnzbd's from
their sources. Assumed: Download Station in other languages, translations of SABnzbd, scripts around Transmission.
"""

from __future__ import annotations

from email.message import EmailMessage
from typing import NamedTuple

from playhead.biff.mails import Download

SYNOLOGY = """Dear user,

Your BT download task on DiskStation is completed.

File:
My Fancy Show S07E22 Awesome Episode.mp4

Location:
Video

Sincerely,
Synology DiskStation
"""
SYNOLOGY_SEVERAL = """Your BT download task has been completed.

File:
Severance S02E01.mkv
Severance S02E02.mkv

Location:
Video/TV

Files:
The Matrix (1999)
Size: 12 GB

Location:
Video/Movies

"""
SYNOLOGY_GERMAN = """Ihre Download-Aufgabe in Download Station wurde abgeschlossen.

Datei: Das Boot (1981).mkv
Ort: Video
"""
SYNOLOGY_CHINESE = "Download Station 的下載工作已完成。\n\n檔案:\n臥虎藏龍.mkv\n\n位置:\nvideo\n"
SYNOLOGY_FAILED = (
    "Your BT download task on DiskStation has failed.\n\nFile:\nHalf a Film.mkv\n\nLocation:\nVideo\n"
)
QBITTORRENT = """Torrent name: Mission: Impossible (1996)
Torrent size: 12.4 GiB
Save path: /srv/downloads/movies

The torrent was downloaded in 1 hour and 20 seconds.


Thank you for using qBittorrent.
"""
QBITTORRENT_FRENCH = """Nom du torrent : Amélie.2001.mkv
Taille du torrent : 4,2 Gio
Chemin de sauvegarde : D:\\Films

Le torrent a été téléchargé en 3 minutes.


Merci d'utiliser qBittorrent.
"""
NZBGET = """Download of "The.Bear.S03" has successfully completed.
Status: SUCCESS/ALL

Statistics:
Downloaded size: 2.10 GB

Files:
The.Bear.S03E01.mkv
The.Bear.S03E02.mkv
Sample/the.bear.s03e01.sample.mkv
the.bear.nfo
"""
NZBGET_BARE = 'Download of "Dune 2021" has successfully completed.\nStatus: SUCCESS/UNPACK'
NZBGET_FAILED = 'Download of "Dune 2021" has failed.\nStatus: FAILURE/PAR'
SABNZBD = """
Hi,

SABnzbd has downloaded "Fargo.S05E01.1080p"

Finished at Mon, 01 Jan 2024
Downloaded 2.0 GB

Results of the job:

Stage Unpack
    [fargo] Unpacked 1 files/folders in 3 seconds

Enjoy!
"""
SABNZBD_GERMAN = 'Hallo,\n\nSABnzbd hat "Fargo.S05E02" heruntergeladen.\n\nBeendet um 12:00\n'
SABNZBD_FAILED = 'Hi,\n\nSABnzbd has failed to download "Fargo.S05E03"\n\nSorry!\n'
TRANSMISSION = "TR_APP_VERSION=4.0.6\nTR_TORRENT_DIR=/srv/downloads\nTR_TORRENT_ID=7\nTR_TORRENT_NAME=Shogun.S01E01.mkv\n"
TRANSMISSION_SCRIPT = "Torrent done: Shogun.S01E02.mkv\n"


class Case(NamedTuple):
    """A mail and what it names; ``source`` "" = nothing."""

    subject: str
    body: str
    source: str
    downloads: list[Download]
    headers: dict[str, str] = {}


STATION = "Download Station"
CASES = {
    "synology": Case(
        "[DiskStation] Download task completed",
        SYNOLOGY,
        STATION,
        [Download("My Fancy Show S07E22 Awesome Episode.mp4", "Video")],
    ),
    "synology, several": Case(
        "download task completed",
        SYNOLOGY_SEVERAL,
        STATION,
        [
            Download("Severance S02E01.mkv", "Video/TV"),
            Download("Severance S02E02.mkv", "Video/TV"),
            Download("The Matrix (1999)", "Video/Movies"),
        ],
    ),
    "synology, German": Case("Fertig", SYNOLOGY_GERMAN, STATION, [Download("Das Boot (1981).mkv", "Video")]),
    "synology, Chinese": Case("下載完成", SYNOLOGY_CHINESE, STATION, [Download("臥虎藏龍.mkv", "video")]),
    "synology, failed": Case("Download task failed", SYNOLOGY_FAILED, "", []),
    "qbittorrent": Case(
        "[qBittorrent] 'Mission: Impossible (1996)' has finished downloading",
        QBITTORRENT,
        "qBittorrent",
        [Download("Mission: Impossible (1996)", "/srv/downloads/movies")],
    ),
    "qbittorrent, French": Case(
        "[qBittorrent] Le téléchargement de 'Amélie.2001.mkv' est terminé",
        QBITTORRENT_FRENCH,
        "qBittorrent",
        [Download("Amélie.2001.mkv", "D:\\Films")],
    ),
    "qbittorrent, test": Case("[qBittorrent] Test email", "This is a test email.\n", "", []),
    "nzbget": Case(
        'Success for "The.Bear.S03"',
        NZBGET,
        "NZBGet",
        [Download("The.Bear.S03E01.mkv"), Download("The.Bear.S03E02.mkv")],
        {"X-Application": "NZBGet"},
    ),
    "nzbget, no list": Case('Success for "Dune 2021"', NZBGET_BARE, "NZBGet", [Download("Dune 2021")]),
    "nzbget, failed": Case('Failure for "Dune 2021"', NZBGET_FAILED, "", [], {"X-Application": "NZBGet"}),
    "sabnzbd": Case(
        "SABnzbd has completed job Fargo.S05E01.1080p", SABNZBD, "SABnzbd", [Download("Fargo.S05E01.1080p")]
    ),
    "sabnzbd, German": Case(
        "SABnzbd hat Auftrag Fargo.S05E02 abgeschlossen",
        SABNZBD_GERMAN,
        "SABnzbd",
        [Download("Fargo.S05E02")],
    ),
    "sabnzbd, failed": Case("SABnzbd has failed job Fargo.S05E03", SABNZBD_FAILED, "", []),
    "transmission": Case(
        "done", TRANSMISSION, "Transmission", [Download("Shogun.S01E01.mkv", "/srv/downloads")]
    ),
    "transmission, script": Case(
        "[torrent-done] Shogun.S01E02.mkv",
        TRANSMISSION_SCRIPT,
        "Transmission",
        [Download("Shogun.S01E02.mkv")],
    ),
    "a person's": Case("Dinner?", "Shall we watch the file tonight?\nWhere: at my place\n", "", []),
}


def write_mail(case: Case, encoding: str = "quoted-printable", charset: str = "utf-8") -> bytes:
    """The mail as it comes to a filter: plain text in one of MIME's encodings."""
    mail = _begin(case)
    mail.set_content(case.body, charset=charset, cte=encoding)
    return bytes(mail)


def write_html_mail(case: Case, *, alternative: bool) -> bytes:
    """The same in HTML, alone or beside a plain text that says nothing."""
    lines = case.body.replace("&", "&amp;").replace("<", "&lt;").split("\n")
    page = (
        "<html><head><style>p {color: red}</style></head><body>"
        + "".join(f"<p>{line}</p>\n" for line in lines)
        + "</body></html>"
    )
    mail = _begin(case)
    if alternative:
        mail.set_content("This mail is to be seen in colour.\n")
        mail.add_alternative(page, subtype="html")
    else:
        mail.set_content(page, subtype="html", cte="base64")
    return bytes(mail)


def _begin(case: Case) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "downloads@nas.example.org"
    mail["To"] = "alex@example.org"
    mail["Subject"] = case.subject
    for name, value in case.headers.items():
        mail[name] = value
    return mail
