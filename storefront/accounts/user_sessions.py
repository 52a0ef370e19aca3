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

SHOWN = 50


@dataclass(frozen=True)
class Login:
    """One browser that is signed in."""

    row: UserSession
    device: str
    is_current: bool


@login_required
def logins(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    here = request.session.session_key
    found = [Login(row, user_agents.named(row.user_agent), row.session_key == here) for row in _living(user)]
    found.sort(key=lambda login: not login.is_current)
    return render(request, "accounts/logins.html", {"logins": found})


@login_required
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    rows = UserSession.objects.filter(user=request.user)
    row = get_object_or_404(rows.exclude(session_key=request.session.session_key), pk=pk)
    _end(rows.filter(pk=row.pk))
    messages.success(request, _("That browser is signed out."))
    return redirect("logins")


@login_required
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    rows = UserSession.objects.filter(user=request.user)
    done = _end(rows.exclude(session_key=request.session.session_key))
    told = ngettext("%d other browser is signed out.", "%d other browsers are signed out.", done)
    messages.success(request, told % done)
    return redirect("logins")


def _living(user: User) -> list[UserSession]:
    """Return the sessions that are still valid, most recently seen first.

    A new password invalidates all sessions of the former one.
    """
    rows = list(UserSession.objects.filter(user=user).order_by("-last_seen_at")[:SHOWN])
    keys = [row.session_key for row in rows]
    valid = user.get_session_auth_hash()
    living = {
        session.session_key
        for session in Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        if constant_time_compare(session.get_decoded().get(HASH_SESSION_KEY, ""), valid)
    }
    return [row for row in rows if row.session_key in living]


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
