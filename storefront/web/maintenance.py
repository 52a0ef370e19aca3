"""The shop is closed for a while: a file under VAR_DIR says so, with a word for customers or with nothing in it.

Whoever works on the shop makes it (`manage.py maintenance on`). The back office stays open.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

RETRY_AFTER = 120  # seconds
#: What operators need to open the shop again, and what the closed page is drawn with.
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
_WORDS_MAX = 500


def flag() -> Path:
    return Path(settings.VAR_DIR) / _FLAG


def words() -> str | None:
    """What customers are told; None while the shop is open. A file that we may not read closes it as well."""
    # Looked at by every call: that there is no such file must cost next to nothing.
    if not os.path.exists(f"{settings.VAR_DIR}/{_FLAG}"):
        return None
    try:
        return flag().read_text(encoding="utf-8", errors="replace")[:_WORDS_MAX].strip()
    except FileNotFoundError:
        return None
    except OSError:
        return ""


def maintenance_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware that shows everybody the closed page, but for what ``OPEN`` names."""

    def middleware(request: HttpRequest) -> HttpResponse:
        told = words()
        if told is None or request.path_info.startswith(OPEN):
            return get_response(request)
        page = render(request, "503.html", {"words": told}, status=503)
        page["Retry-After"] = str(RETRY_AFTER)
        return page

    return middleware
