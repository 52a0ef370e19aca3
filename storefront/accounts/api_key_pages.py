"""The pages on which a customer creates, changes and revokes API keys."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orders.db import encryption
from storefront.accounts import api_keys, ip_addresses
from storefront.accounts.forms import KeyForm, NewKeyForm
from storefront.accounts.models import KEYS_MAX, ApiKey, TooManyKeys
from storefront.accounts.reauthentication import password_required_to_post

#: Session key of a new API key, encrypted, until the one page that shows it.
SHOWN_ONCE = "new_api_key"
#: Maximum number of revoked keys on the page, newest first.
MAX_REVOKED_SHOWN = 50


@never_cache
@login_required
@password_required_to_post
@require_http_methods(["GET", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    form = NewKeyForm(request.POST or None, here=ip_addresses.client_address(request))
    if request.method == "POST" and form.is_valid():
        try:
            _key, text = api_keys.create(user, request=request, **form.columns())
        except TooManyKeys:
            form.add_limit_error()
        else:
            request.session[SHOWN_ONCE] = encryption.encrypt(text)
            return redirect("api_keys")
    user_keys = ApiKey.objects.filter(user=user)
    context = {
        "form": form,
        "keys": user_keys.active(),
        "keys_max": KEYS_MAX,
        "revoked_keys": user_keys.exclude(revoked_at=None).order_by("-revoked_at")[:MAX_REVOKED_SHOWN],
        "new_key": _new_key(request),
    }
    return render(request, "accounts/keys.html", context)


def _new_key(request: HttpRequest) -> str:
    """Return the new key and remove it from the session, so that a reload no longer shows it."""
    encrypted = request.session.pop(SHOWN_ONCE, "")
    try:
        return encryption.decrypt(encrypted) if encrypted else ""
    except ImproperlyConfigured:  # the encryption key was removed; the page must still work
        return ""


@login_required
@password_required_to_post
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the name, scopes and addresses of one of the customer's active keys."""
    key = get_object_or_404(ApiKey.objects.active(), user=request.user, pk=pk)
    form = KeyForm(request.POST or None, instance=key, here=ip_addresses.client_address(request))
    if request.method == "POST" and form.is_valid():
        api_keys.change(key, request=request, **form.columns())
        messages.success(request, _("API key %s… updated.") % key.prefix)
        return redirect("api_keys")
    return render(request, "accounts/key.html", {"form": form, "key": key})


@login_required
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask on GET, then revoke one of the customer's keys. A key that is already revoked stays as it is."""
    key = get_object_or_404(ApiKey, user=request.user, pk=pk)
    if request.method == "GET" and key.revoked_at is None:
        return render(request, "accounts/key_revoke.html", {"key": key})
    ApiKey.objects.active().filter(pk=key.pk).update(revoked_at=timezone.now())
    messages.success(request, _("API key %s… revoked.") % key.prefix)
    return redirect("api_keys")
