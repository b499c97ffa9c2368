"""Members of answers that older versions did not have yet, by the makers' documents. Knows no value."""

from __future__ import annotations

from typing import Any

from playhead.sandbox.jellyfin.rules import Rules

_SINCE_10_11 = """
MediaSegmentProviderOrder CacheSize EnableGroupingMoviesIntoCollections EnableGroupingShowsIntoCollections
EnableLegacyAuthorization
"""
_SINCE_10_9 = """
AllowedTags EnableCollectionManagement EnableLyricManagement EnableSubtitleManagement CastReceiverId
CustomTagDelimiters DelimiterWhitelist DisabledLyricFetchers DisabledMediaSegmentProviders EnableEmbeddedExtrasTitles
EnableLUFSScan EnableTrickplayImageExtraction Enabled ExtractTrickplayImagesDuringLibraryScan LyricFetcherOrder
PreferNonstandardArtistsTag SaveLyricsWithMedia SaveTrickplayWithMedia UseCustomTagDelimiters
CastReceiverApplications ChapterImageResolution DummyChapterDuration InactiveSessionThreshold LibraryUpdateDuration
ParallelImageEncodingLimit TrickplayOptions IsHearingImpaired AudioSpatialFormat ReferenceFrameRate HasSegments
UseMostCompatibleTranscodingProfile Trickplay PlaybackOrder
"""
_UNKNOWN_BEFORE = (
    ((10, 9), frozenset(_SINCE_10_9.split())),
    ((10, 11), frozenset(_SINCE_10_11.split())),
)


def trim(rules: Rules, data: dict[str, Any]) -> dict[str, Any]:
    """The object without the members that its version did not know."""
    for generation, names in _UNKNOWN_BEFORE:
        if rules.generation < generation:
            data = {name: value for name, value in data.items() if name not in names}
    return data
