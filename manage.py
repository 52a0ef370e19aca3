#!/usr/bin/env python3
"""Django's command line for Vitrine. Every command works with nothing configured; see README.md."""

import os
import sys
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storefront.settings")
    try:
        from django.core.management import execute_from_command_line

        from storefront import bootstrap
    except ImportError:
        sys.exit("Django is not installed for this Python. Run `make install`, then use .venv/bin/python manage.py ...")
    if sys.argv[1:2] == ["run"]:
        bootstrap.enter_demo(Path(__file__).resolve().parent / "var" / "demo")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
