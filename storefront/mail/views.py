"""The page where customers say which letters they want, and the one that a letter's own link leads to."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from storefront.mail import wishes
from storefront.mail.forms import PreferencesForm
from storefront.mail.models import Preferences


@login_required
@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    row = Preferences.objects.filter(user=user).first()
    form = PreferencesForm(request.POST or None, instance=row or Preferences(user=user))
    if request.method == "POST":
        # No box is ticked in an empty form: that is a wish as well.
        form = PreferencesForm(request.POST, instance=form.instance)
        if form.is_valid():
            Preferences.objects.update_or_create(user=user, defaults=form.cleaned_data)
            messages.success(request, _("Your choice is saved."))
            return redirect("mail:preferences")
    return render(request, "mail/preferences.html", {"form": form})


@csrf_exempt  # mail programs post here for their user; all that the link can do is to switch one kind off
@never_cache
@require_http_methods(["GET", "POST"])
def off(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, since programs that look for viruses follow every link; POST switches off."""
    found = wishes.meant(token)
    if found is None:
        raise Http404
    user_id, kind = found
    if request.method == "POST":
        wishes.switch_off(user_id, kind=kind)
    return render(request, "mail/off.html", {"kind": kind, "is_done": request.method == "POST"})
