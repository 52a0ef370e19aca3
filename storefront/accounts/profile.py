"""The profile page, where users set their name, language, time zone and currency."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from storefront.accounts.forms import ProfileForm
from storefront.accounts.models import User


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        # Update only these columns, so that a concurrent change by staff is not overwritten.
        User.objects.filter(pk=user.pk).update(**{name: form.cleaned_data[name] for name in form.fields})
        with translation.override(form.cleaned_data["language"] or translation.get_language()):
            messages.success(request, _("Profile saved."))
        return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form})
