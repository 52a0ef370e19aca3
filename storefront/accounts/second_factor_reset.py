"""The admin page on which staff removes a customer's lost second factor, after verifying the customer's identity.

Afterwards the password alone opens the account, so the removal is logged with a reason and the customer is notified at
once.
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
        label=gettext_lazy("How you know that the customer asks"),
        max_length=200,
        help_text=gettext_lazy("It stands in the history of this account; the customer is not shown it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )


def has_any(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user).exists())


def page(request: HttpRequest, user: User, site: AdminSite, opts: Any) -> HttpResponse:
    """Show what would be removed and remove it. The caller has checked the permission."""
    form = SecondFactorResetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if take_off(user, actor=request.user, reason=form.cleaned_data["reason"]):
            messages.success(request, _("The second step is taken off, and the customer is told by e-mail."))
        else:
            messages.info(request, _("There is no second step at this account any more. Nothing was changed."))
        return redirect(base.page_url(user))
    context = {
        **site.each_context(request),
        "title": _("Take off the second step"),
        "opts": opts,
        "customer": user,
        "kinds": _named(list(Authenticator.objects.filter(user=user))),
        "form": form,
    }
    return TemplateResponse(request, "admin/accounts/user/lost_factor.html", context)


@transaction.atomic
def take_off(user: User, *, actor: Any, reason: str) -> int:
    """Remove the app, passkeys and recovery codes and notify the customer.

    Returns:
        The number of removed rows. If it is 0, nobody is notified.
    """
    # Of two removals at once, the second waits here and finds nothing.
    person = User.objects.select_for_update().get(pk=user.pk)
    lost = list(Authenticator.objects.filter(user=person))
    if not lost:
        return 0
    Authenticator.objects.filter(pk__in=[one.pk for one in lost]).delete()
    told = _("Second step taken off (%(kinds)s): %(reason)s") % {"kinds": ", ".join(_named(lost)), "reason": reason}
    LogEntry.objects.log_actions(actor.pk, [person], CHANGE, told)
    notices.send(person, "second_factor_taken_off", _taken_off)
    return len(lost)


def _taken_off() -> Notice:
    """Return the notice. It does not name a browser or address, because the change did not come from the customer's."""
    return Notice(
        subject=_("The second step of your account was taken off"),
        paragraphs=(
            _("The shop has taken the second step off your account: the app, the passkeys and the recovery codes."),
            _("Your password alone opens it now. Sign in and set up a new second step."),
            _("If you did not ask us for this, choose a new password at once and write to us."),
        ),
        path=reverse("mfa_index"),
    )


def _named(lost: list[Any]) -> list[str]:
    """Return the names of what was set up: the app, the number of passkeys, the recovery codes."""
    types = [one.type for one in lost]
    keys = types.count(Authenticator.Type.WEBAUTHN)
    named = (
        (Authenticator.Type.TOTP in types, _("Authenticator app")),
        (keys, ngettext("%d passkey", "%d passkeys", keys) % keys),
        (Authenticator.Type.RECOVERY_CODES in types, _("Recovery codes")),
    )
    return [words for is_there, words in named if is_there]
