"""``python -m playhead``: the command line."""

from __future__ import annotations

import sys

from playhead.faces.cli import main

sys.exit(main())
