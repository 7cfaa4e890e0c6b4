"""The site's settings, for a web process that is measured; its static files are where the bench collected them."""

import os
from pathlib import Path

from cruddur.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["BENCH_STATIC_ROOT"])
