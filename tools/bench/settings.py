"""The site's settings for a measured web process, with the static files that the bench collected."""

import os
from pathlib import Path

from cruddur.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["BENCH_STATIC_ROOT"])
