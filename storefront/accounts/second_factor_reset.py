"""The admin page on which staff resets a customer's two-factor authentication, after verifying the customer's identity.

Afterwards the password alone is enough to sign in, so the reset is logged with a reason and the customer is notified
immediately.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.admin import base
from storefront.accounts import notices
from storefront.accounts.models import User
from storefront.accounts.notices import Notice

PERMISSION = "mfa.delete_authenticator"


class SecondFactorResetForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("How you verified the customer's identity"),
        max_length=200,
        help_text=gettext_lazy("Saved in the history of the account. The customer doesn't see it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )


def has_any(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user).exists())


def page(request: HttpRequest, user: User, site: AdminSite, opts: Any) -> HttpResponse:
    """Show what would be removed and remove it. The caller has checked the permission."""
    form = SecondFactorResetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if remove_factors(user, actor=request.user, reason=form.cleaned_data["reason"]):
            messages.success(request, _("Two-factor authentication was reset. The customer was notified by email."))
        else:
            messages.info(request, _("Two-factor authentication is already off. Nothing was changed."))
        return redirect(base.page_url(user))
    context = {
        **site.each_context(request),
        "title": _("Reset two-factor authentication"),
        "opts": opts,
        "customer": user,
        "methods": _method_names(list(Authenticator.objects.filter(user=user))),
        "form": form,
    }
    return TemplateResponse(request, "admin/accounts/user/reset_second_factor.html", context)


@transaction.atomic
def remove_factors(user: User, *, actor: Any, reason: str) -> int:
    """Remove the app, passkeys and recovery codes and notify the customer.

    Returns:
        The number of removed rows. If it is 0, nobody is notified.
    """
    # Of two removals at once, the second waits here and finds nothing.
    locked = User.objects.select_for_update().get(pk=user.pk)
    authenticators = list(Authenticator.objects.filter(user=locked))
    if not authenticators:
        return 0
    Authenticator.objects.filter(pk__in=[row.pk for row in authenticators]).delete()
    entry = _("Two-factor authentication reset (%(methods)s): %(reason)s") % {
        "methods": ", ".join(_method_names(authenticators)),
        "reason": reason,
    }
    LogEntry.objects.log_actions(actor.pk, [locked], CHANGE, entry)
    notices.send(locked, "second_factor_reset", _notice)
    return len(authenticators)


def _notice() -> Notice:
    """Return the notice. It does not name a browser or address, because the change did not come from the customer's."""
    return Notice(
        subject=_("Two-factor authentication was turned off"),
        paragraphs=(
            _("We removed the authenticator app, passkeys and recovery codes from your account."),
            _("You now sign in with only your password. Sign in and set up two-factor authentication again."),
            _("If you didn't request this, change your password and contact support right away."),
        ),
        path=reverse("mfa_index"),
    )


def _method_names(authenticators: list[Any]) -> list[str]:
    """Return the names of what was set up: the app, the number of passkeys, the recovery codes."""
    types = [row.type for row in authenticators]
    passkeys = types.count(Authenticator.Type.WEBAUTHN)
    methods = (
        (Authenticator.Type.TOTP in types, _("Authenticator app")),
        (passkeys, ngettext("%d passkey", "%d passkeys", passkeys) % passkeys),
        (Authenticator.Type.RECOVERY_CODES in types, _("Recovery codes")),
    )
    return [name for is_present, name in methods if is_present]
