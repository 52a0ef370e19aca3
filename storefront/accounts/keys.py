"""The page where a customer makes and revokes API keys."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from storefront.accounts.forms import KeyForm
from storefront.accounts.models import ApiKey

#: Where a new key waits for the one page that shows it.
SHOWN_ONCE = "new_api_key"


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    form = KeyForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        _key, text = ApiKey.objects.issue(user, name=form.cleaned_data["name"])
        request.session[SHOWN_ONCE] = text
        return redirect("api_keys")
    context = {
        "form": form,
        "keys": ApiKey.objects.living().filter(user=user),
        # Taken out as it is shown: a reload no longer has it.
        "new_key": request.session.pop(SHOWN_ONCE, ""),
    }
    return render(request, "accounts/keys.html", context)


@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends a key of the customer's own; one that is ended already stays as it is."""
    key = get_object_or_404(ApiKey, user=request.user, pk=pk)
    ApiKey.objects.living().filter(pk=key.pk).update(revoked_at=timezone.now())
    messages.success(request, _("The key %s… no longer works.") % key.prefix)
    return redirect("api_keys")
