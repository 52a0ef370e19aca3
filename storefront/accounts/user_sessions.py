"""The page that lists a user's sessions and ends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.decorators import login_required
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from storefront.accounts import user_agents
from storefront.accounts.models import User

MAX_SESSIONS = 50


@dataclass(frozen=True)
class SessionRow:
    """A session as the page shows it."""

    row: UserSession
    device: str
    is_current: bool


@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    current_key = request.session.session_key
    rows = [
        SessionRow(row, user_agents.browser_name(row.user_agent), row.session_key == current_key)
        for row in _active(user)
    ]
    rows.sort(key=lambda row: not row.is_current)
    return render(request, "accounts/sessions.html", {"sessions": rows})


@login_required
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    rows = UserSession.objects.filter(user=request.user)
    row = get_object_or_404(rows.exclude(session_key=request.session.session_key), pk=pk)
    _end(rows.filter(pk=row.pk))
    messages.success(request, _("Session ended."))
    return redirect("sessions")


@login_required
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    rows = UserSession.objects.filter(user=request.user)
    count = _end(rows.exclude(session_key=request.session.session_key))
    message = ngettext("%d other session ended.", "%d other sessions ended.", count)
    messages.success(request, message % count)
    return redirect("sessions")


def _active(user: User) -> list[UserSession]:
    """Return the sessions that are still valid, most recently seen first.

    A new password invalidates all sessions of the former one.
    """
    rows = list(UserSession.objects.filter(user=user).order_by("-last_seen_at")[:MAX_SESSIONS])
    keys = [row.session_key for row in rows]
    valid = user.get_session_auth_hash()
    active_keys = {
        session.session_key
        for session in Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        if constant_time_compare(session.get_decoded().get(HASH_SESSION_KEY, ""), valid)
    }
    return [row for row in rows if row.session_key in active_keys]


def end_all(user: User) -> int:
    """Sign ``user`` out everywhere and return the number of browsers that were signed out."""
    return _end(UserSession.objects.filter(user=user))


@transaction.atomic
def _end(rows: QuerySet[UserSession]) -> int:
    """End the sessions and return the number of browsers that were signed out."""
    keys = list(rows.values_list("session_key", flat=True))
    ended, _by_model = Session.objects.filter(session_key__in=keys).delete()
    rows.filter(session_key__in=keys).delete()
    return ended
