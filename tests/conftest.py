"""How examples are drawn: the same ones on every run, so that a red test means the change before it; new ones, and many more,
in the long profile (``bin/test --long``)."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("long", deadline=None, print_blob=True)
settings.load_profile("long" if os.environ.get("PLAYHEAD_LONG") else "steady")
