#!/usr/bin/env python
"""Django's command line for Cruddur Messages."""

import os
import sys

from cruddur.command_line import main

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cruddur.settings")
    sys.exit(main(sys.argv))
