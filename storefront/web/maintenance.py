"""Maintenance mode: the shop is closed while a file under VAR_DIR exists, whose text is shown to customers.

`manage.py maintenance on` creates the file. The back office stays open.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

RETRY_AFTER = 120  # seconds
#: Paths that operators need to open the shop again, and those that the maintenance page uses.
OPEN = (
    "/admin/",
    "/account/login/",
    "/account/logout/",
    "/account/reauthenticate/",
    "/account/second-factor/authenticate/",
    "/account/second-factor/reauthenticate/",
    "/account/second-factor/webauthn/reauthenticate/",
    "/account/second-factor/webauthn/login/",
    "/static/",
    "/brand/",
    "/language/",
)
_FLAG = "maintenance"
_MESSAGE_MAX = 500


def flag() -> Path:
    return Path(settings.VAR_DIR) / _FLAG


def message() -> str | None:
    """Return the text for customers, or None while the shop is open; an unreadable file also closes it."""
    # Every request calls this, so the check for a missing file must cost next to nothing.
    if not os.path.exists(f"{settings.VAR_DIR}/{_FLAG}"):
        return None
    try:
        return flag().read_text(encoding="utf-8", errors="replace")[:_MESSAGE_MAX].strip()
    except FileNotFoundError:
        return None
    except OSError:
        return ""


def maintenance_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Create the middleware that shows the maintenance page for every path except those in ``OPEN``."""

    def middleware(request: HttpRequest) -> HttpResponse:
        text = message()
        if text is None or request.path_info.startswith(OPEN):
            return get_response(request)
        page = render(request, "503.html", {"maintenance_message": text}, status=503)
        page["Retry-After"] = str(RETRY_AFTER)
        return page

    return middleware
