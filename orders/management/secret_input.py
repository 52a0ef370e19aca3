"""Input of secrets for operator commands from a file, standard input, the environment or a prompt.

Secrets are not passed as arguments, because everybody on the machine can read those in the process list.
"""

from __future__ import annotations

import os
import sys
from getpass import getpass
from pathlib import Path

from django.core.management.base import CommandError


def read_file(name: str) -> str:
    """Return the text of the file ``name``, stripped of white space; "-" is standard input."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise CommandError(f"The file {name} cannot be read: {problem}") from None
    if not text.strip():
        raise CommandError(f"The file {name} is empty. It must contain the key or password.")
    return text.strip()


def read_environment_or_prompt(variable: str, prompt: str) -> str:
    """Return the environment variable ``variable``, or what is typed at a terminal, or "" if there is neither."""
    value = os.environ.get(variable, "").strip()
    if not value and sys.stdin.isatty():
        value = getpass(f"{prompt}: ").strip()
    return value
