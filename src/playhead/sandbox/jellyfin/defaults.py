"""The settings of a fresh server: user policy and configuration, library options, server configuration."""

from __future__ import annotations

from typing import Any

from playhead.sandbox.folders import shown
from playhead.sandbox.jellyfin.newer import trim
from playhead.sandbox.jellyfin.rules import Rules

_USERS = "Jellyfin.Server.Implementations.Users."
CAST_RECEIVERS = [{"Id": "F007D354", "Name": "Stable"}, {"Id": "6F511C87", "Name": "Unstable"}]


_ALLOWED = """
EnableUserPreferenceAccess EnableSharedDeviceControl EnableRemoteAccess EnableLiveTvAccess EnableMediaPlayback
EnableAudioPlaybackTranscoding EnableVideoPlaybackTranscoding EnablePlaybackRemuxing EnableContentDownloading
EnableSyncTranscoding EnableMediaConversion EnableAllDevices EnableAllChannels EnableAllFolders EnablePublicSharing
"""
_DENIED = """
EnableCollectionManagement EnableSubtitleManagement EnableLyricManagement IsDisabled EnableLiveTvManagement
ForceRemoteSourceTranscoding
"""
_POLICY_LISTS = """
BlockedTags AllowedTags AccessSchedules BlockUnratedItems EnabledDevices EnabledChannels EnabledFolders
EnableContentDeletionFromFolders BlockedMediaFolders BlockedChannels
"""


def default_policy(rules: Rules, *, admin: bool) -> dict[str, Any]:
    """What a new user may do."""
    settings: dict[str, Any] = {
        **dict.fromkeys(_ALLOWED.split(), True),
        **dict.fromkeys(_DENIED.split(), False),
        **{name: [] for name in _POLICY_LISTS.split()},
        "IsAdministrator": admin,
        "IsHidden": True,
        "EnableRemoteControlOfOtherUsers": admin,
        "EnableContentDeletion": admin,
        "InvalidLoginAttemptCount": 0,
        "LoginAttemptsBeforeLockout": -1,
        "MaxActiveSessions": 0,
        "RemoteClientBitrateLimit": 0,
        "AuthenticationProviderId": _USERS + "DefaultAuthenticationProvider",
        "PasswordResetProviderId": _USERS + "DefaultPasswordResetProvider",
        "SyncPlayAccess": "CreateAndJoinGroups",
    }
    return trim(rules, settings)


def default_configuration(rules: Rules) -> dict[str, Any]:
    """A new user's preferences."""
    settings: dict[str, Any] = {
        "PlayDefaultAudioTrack": True,
        "SubtitleLanguagePreference": "",
        "DisplayMissingEpisodes": False,
        "GroupedFolders": [],
        "SubtitleMode": "Default",
        "DisplayCollectionsView": False,
        "EnableLocalPassword": False,
        "OrderedViews": [],
        "LatestItemsExcludes": [],
        "MyMediaExcludes": [],
        "HidePlayedInLatest": True,
        "RememberAudioSelections": True,
        "RememberSubtitleSelections": True,
        "EnableNextEpisodeAutoPlay": True,
        "CastReceiverId": "F007D354",
    }
    return trim(rules, settings)


def library_options(rules: Rules, paths: list[str], given: dict[str, Any]) -> dict[str, Any]:
    """A library's options: the defaults with what was given."""
    off = dict.fromkeys(
        (
            "EnablePhotos", "EnableRealtimeMonitor", "EnableLUFSScan", "EnableChapterImageExtraction",
            "ExtractChapterImagesDuringLibraryScan", "EnableTrickplayImageExtraction",
            "ExtractTrickplayImagesDuringLibraryScan", "SaveLocalMetadata", "EnableInternetProviders",
            "EnableEmbeddedTitles", "EnableEmbeddedExtrasTitles", "EnableEmbeddedEpisodeInfos",
            "SkipSubtitlesIfEmbeddedSubtitlesPresent", "SaveLyricsWithMedia", "SaveTrickplayWithMedia",
            "PreferNonstandardArtistsTag", "UseCustomTagDelimiters", "AutomaticallyAddToCollection",
        ),
        False,
    )  # fmt: skip
    on = ("Enabled", "EnableAutomaticSeriesGrouping", "SkipSubtitlesIfAudioTrackMatches")
    lists: dict[str, Any] = {
        name: []
        for name in (
            "MetadataSavers", "DisabledLocalMetadataReaders", "DisabledSubtitleFetchers", "SubtitleFetcherOrder",
            "DisabledMediaSegmentProviders", "MediaSegmentProviderOrder", "DisabledLyricFetchers",
            "LyricFetcherOrder", "DelimiterWhitelist",
        )
    }  # fmt: skip
    options: dict[str, Any] = {
        **off,
        **dict.fromkeys((*on, "RequirePerfectSubtitleMatch", "SaveSubtitlesWithMedia"), True),
        **lists,
        "PathInfos": [{"Path": shown(path)} for path in paths],
        "AutomaticRefreshIntervalDays": 0,
        "SeasonZeroDisplayName": "Specials",
        "LocalMetadataReaderOrder": ["Nfo"],
        "CustomTagDelimiters": ["/", "|", ";", "\\"],
        "AllowEmbeddedSubtitles": "AllowAll",
        "TypeOptions": [{"Type": name} for name in ("Movie", "Series", "Season", "Episode")],
    }
    options.update({name: value for name, value in given.items() if name in options and name != "PathInfos"})
    options["TypeOptions"] = [_type_options(rules, each) for each in options["TypeOptions"]]
    return trim(rules, options)


def _type_options(rules: Rules, given: dict[str, Any]) -> dict[str, Any]:
    names = ["MetadataFetchers", "MetadataFetcherOrder", "ImageFetchers", "ImageFetcherOrder", "ImageOptions"]
    if rules.generation >= (12, 0):
        names += ["SimilarItemProviders", "SimilarItemProviderOrder"]
    return {"Type": given.get("Type", ""), **{name: given.get(name, []) for name in names}}


_SERVER_ON = """
EnableNormalizedItemByNameIds IsPortAuthorized QuickConnectAvailable EnableCaseSensitiveItemIds
DisableLiveTvChannelUserDataName SkipDeserializationForBasicTypes DisplaySpecialsWithinSeasons
EnableExternalContentInSuggestions EnableSlowResponseWarning AllowClientLogUpload IsStartupWizardCompleted
"""
_SERVER_OFF = """
EnableMetrics SaveMetadataHidden EnableFolderView EnableGroupingMoviesIntoCollections
EnableGroupingShowsIntoCollections
"""
_SERVER_ZEROS = """
InactiveSessionThreshold RemoteClientBitrateLimit ImageExtractionTimeoutMs LibraryScanFanoutConcurrency
LibraryMetadataRefreshConcurrency DummyChapterDuration ParallelImageEncodingLimit
"""
_SERVER_LISTS = "ContentTypes CodecsUsed PluginRepositories PathSubstitutions"


def server_configuration(rules: Rules, name: str) -> dict[str, Any]:
    """The configuration of a fresh server."""
    settings: dict[str, Any] = {
        **dict.fromkeys(_SERVER_ON.split(), True),
        **dict.fromkeys(_SERVER_OFF.split(), False),
        **dict.fromkeys(_SERVER_ZEROS.split(), 0),
        **{each: [] for each in _SERVER_LISTS.split()},
        "MetadataPath": "",
        "PreferredMetadataLanguage": "en",
        "MetadataCountryCode": "US",
        "SortReplaceCharacters": [".", "+", "%"],
        "SortRemoveCharacters": [",", "&", "-", "{", "}", "'"],
        "SortRemoveWords": ["the", "a", "an"],
        "MinResumePct": 5,
        "MaxResumePct": 90,
        "MinResumeDurationSeconds": 300,
        "MinAudiobookResume": 5,
        "MaxAudiobookResume": 5,
        "LibraryMonitorDelay": 60,
        "LibraryUpdateDuration": 30,
        "CacheSize": 200,
        "ImageSavingConvention": "Legacy",
        "MetadataOptions": [_metadata_options(kind) for kind in _METADATA_KINDS],
        "ServerName": name,
        "UICulture": "en-US",
        "SlowResponseThresholdMs": 500,
        "CorsHosts": ["*"],
        "ActivityLogRetentionDays": 30,
        "ChapterImageResolution": "MatchSource",
        "CastReceiverApplications": CAST_RECEIVERS,
        "TrickplayOptions": _trickplay(),
        "LogFileRetentionDays": 3,
        "EnableLegacyAuthorization": rules.legacy_tokens,
    }
    return trim(rules, settings)


_METADATA_KINDS = (
    "Book",
    "Movie",
    "MusicVideo",
    "Series",
    "MusicAlbum",
    "MusicArtist",
    "BoxSet",
    "Season",
    "Episode",
)
_UNUSED_FETCHERS = {
    "MusicVideo": ["The Open Movie Database"],
    "MusicAlbum": ["TheAudioDB"],
    "MusicArtist": ["TheAudioDB"],
}


def _metadata_options(kind: str) -> dict[str, Any]:
    lists = (
        "DisabledMetadataSavers", "LocalMetadataReaderOrder", "DisabledMetadataFetchers", "MetadataFetcherOrder",
        "DisabledImageFetchers", "ImageFetcherOrder",
    )  # fmt: skip
    options: dict[str, Any] = {"ItemType": kind, **{name: [] for name in lists}}
    options["DisabledMetadataFetchers"] = _UNUSED_FETCHERS.get(kind, [])
    if kind == "MusicVideo":
        options["DisabledImageFetchers"] = _UNUSED_FETCHERS[kind]
    return options


def _trickplay() -> dict[str, Any]:
    return {
        "EnableHwAcceleration": False,
        "EnableHwEncoding": False,
        "EnableKeyFrameOnlyExtraction": False,
        "ScanBehavior": "NonBlocking",
        "ProcessPriority": "BelowNormal",
        "Interval": 10000,
        "WidthResolutions": [320],
        "TileWidth": 10,
        "TileHeight": 10,
        "Qscale": 4,
        "JpegQuality": 90,
        "ProcessThreads": 1,
    }
