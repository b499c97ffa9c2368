"""A server that answers with what real servers answered, as recorded, so that real bytes go through the adapters.

``load_sets`` finds the recordings below a folder, ``make_replay`` serves one set. Imports nothing of the adapters.
"""

from playhead.sandbox.replay.catalogue import load_sets
from playhead.sandbox.replay.recordings import Recording, RecordingSet
from playhead.sandbox.replay.serving import make_replay

__all__ = ["Recording", "RecordingSet", "load_sets", "make_replay"]
