"""How many examples the properties try: a few hundred, or in the long profile (bin/test --long) as many as the issue asks."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

LONG = bool(os.environ.get("PLAYHEAD_LONG"))
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
IN_MEMORY = settings(max_examples=100_000 if LONG else 2_000, deadline=None, suppress_health_check=QUIET)
FEW = settings(max_examples=2_000 if LONG else 300, deadline=None, suppress_health_check=QUIET)
ON_SQLITE = settings(
    max_examples=5_000 if LONG else 200, deadline=None, suppress_health_check=QUIET, stateful_step_count=10
)
