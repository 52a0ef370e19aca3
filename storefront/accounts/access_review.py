"""The page after a password reset that lists the API keys and webhooks which still work, to be kept or revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from storefront.accounts import access, security_log
from storefront.accounts.models import User


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def review(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    grants = access.active(user)
    if request.method == "POST":
        selected_tokens = set(request.POST.getlist("revoke"))
        selected = [grant for grant in grants if grant.token in selected_tokens]
        with transaction.atomic():
            access.revoke(user, selected)
            User.objects.filter(pk=user.pk).update(has_access_review=False)
        security_log.note("access_reviewed", request, user, revoked=len(selected))
        if selected:
            message = ngettext("Access revoked for %d item.", "Access revoked for %d items.", len(selected)) % len(
                selected
            )
            messages.success(request, message)
        return redirect("profile")
    return render(request, "accounts/access_review.html", {"grants": grants})
