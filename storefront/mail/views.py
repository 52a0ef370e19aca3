"""The email preferences page, and the unsubscribe page that links in emails lead to."""

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

from orders.ledger import transfers
from orders.models import Account
from storefront.accounts.low_balance import LowBalanceForm
from storefront.mail import email_preferences
from storefront.mail.forms import PreferencesForm
from storefront.mail.models import Preferences


@login_required
@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    row = Preferences.objects.filter(user=user).first()
    # Use ``is not None`` below: a form in which no box is checked is empty, but it is a choice as well.
    posted = request.POST if request.method == "POST" else None
    form = PreferencesForm(posted, instance=row or Preferences(user=user))
    wallet = Account.objects.filter(user=user).first()
    low_balance_form = LowBalanceForm(posted, instance=wallet) if wallet else None
    if posted is not None:
        if form.is_valid() and (low_balance_form is None or low_balance_form.is_valid()):
            Preferences.objects.update_or_create(user=user, defaults=form.cleaned_data)
            if low_balance_form and "warn_below" in posted:
                transfers.set_low_balance_alert(
                    low_balance_form.instance, below=low_balance_form.cleaned_data["warn_below"]
                )
            messages.success(request, _("Email preferences saved."))
            return redirect("mail:preferences")
    return render(request, "mail/preferences.html", {"form": form, "low_balance_form": low_balance_form})


@csrf_exempt  # mail programs post here for their user, and the link can only switch off one kind
@never_cache
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask on GET, because virus scanners follow every link; switch the kind off on POST."""
    target = email_preferences.read_token(token)
    if target is None:
        raise Http404
    user_id, kind = target
    if request.method == "POST":
        email_preferences.unsubscribe(user_id, kind=kind)
    return render(request, "mail/unsubscribe.html", {"kind": kind, "is_done": request.method == "POST"})
