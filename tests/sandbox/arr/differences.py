"""In what the emulators differ from the tapes, each with its reason. What no step needs any more fails the test."""

from __future__ import annotations

PLAYED = {"sonarr": ("01", "02", "03", "10", "12"), "radarr": ("01", "02", "05")}
"""The files that are played, one after the other on one server."""

SKIPPED = {
    ("sonarr", "12"): range(42),  # SignalR, and a metadata source that renumbers episodes
}

NOT_THERE = {
    r"GET /api/v5/.*": "the newer API beside v3; no hub needs it yet",
    r"GET /(initialize\.json)?": "the program's own pages, with their key for whoever asks",
    r"POST /api/v3/(series|movie)": "series and movies come by acts: there is no metadata source",
    r"PUT /api/v3/(series|episode)/1": "likewise",
    r"GET /api/v3/(series|movie)/lookup.*": "likewise",
    r"GET /api/v3/(quality|language|customf).*": "profiles are nothing to a hub",
    r"GET /api/v3/(diskspace|filesystem|remotepathmapping|update|system/task).*": "likewise",
    r"GET /api/v3/config/(mediamanagement|host|ui|downloadclient|naming/examples)": "likewise",
    r"(GET|POST) /api/v3/(queue|downloadclient|release|calendar|wanted|parse|manualimport).*": "downloads",
    r"GET /api/v3/(collection|alttitle|importlistexclusion)": "likewise",
}

LOOSE = {
    r"(lacks|has) .*\.(images|alternateTitles)\[\].*": "no pictures, no other titles",
    r"lacks .*\.collection\..*": "a world knows no collections",
    r"lacks .*\.(lastAired|previousAiring|finaleType|absoluteEpisodeNumber) .*": "a world knows no dates of airing",
    r"lacks \[\]\.(message|source|type|wikiUrl) str": "no indexers and clients that its health could miss",
    r"lacks .*unmappedFolders\[\].*": "the tape's folder was not added yet",
    r"(has|lacks) .*\.(started|stateChangeTime|message|duration|ended) str": "how far a command was at that moment",
}

STATE = {
    ("sonarr", "01", 14): "the tape's development version had v5, released ones have v3",
    ("sonarr", "01", 21): "the root is there from the start",
    ("sonarr", "01", 22): "likewise",
    ("sonarr", "01", 59): "its commands at start",
    ("sonarr", "03", 3): "the series are there from the start",
    ("sonarr", "03", 11): "its series had a tag from the start",
    ("sonarr", "03", 12): "likewise",
    ("sonarr", "03", 15): "likewise",
    ("sonarr", "03", 21): "likewise",
    ("sonarr", "10", 15): "commands of files that are not played",
    ("sonarr", "10", 16): "likewise",
    ("sonarr", "10", 33): "the history of files that are not played",
    ("sonarr", "12", 56): "the history of files that are not played",
    ("sonarr", "12", 58): "likewise",
    ("sonarr", "12", 59): "likewise",
    ("sonarr", "12", 62): "likewise",
    ("sonarr", "12", 67): "this one route writes problem+json there; why is not known",
    ("radarr", "01", 9): "the root is there from the start",
    ("radarr", "01", 22): "other rules of a partial body: two numbers there, texts here",
    ("radarr", "02", 5): "the movies are there from the start",
    ("radarr", "02", 15): "one movie had a tag from the start",
    ("radarr", "05", 16): "the history of files that are not played",
}
