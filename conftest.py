"""How examples are drawn: the same ones on every run, so that a red test means the change before it; new ones, and many more,
in the long profile (``bin/test --long``)."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "long", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("long" if os.environ.get("PLAYHEAD_LONG") else "steady")
