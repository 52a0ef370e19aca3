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
from storefront.accounts.low_balance import WarnForm
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
    warn_form = WarnForm(posted, instance=wallet) if wallet else None
    if posted is not None:
        if form.is_valid() and (warn_form is None or warn_form.is_valid()):
            Preferences.objects.update_or_create(user=user, defaults=form.cleaned_data)
            if warn_form and "warn_below" in posted:
                transfers.set_low_balance_alert(warn_form.instance, below=warn_form.cleaned_data["warn_below"])
            messages.success(request, _("Your choice is saved."))
            return redirect("mail:preferences")
    return render(request, "mail/preferences.html", {"form": form, "warn_form": warn_form})


@csrf_exempt  # mail programs post here for their user, and the link can only switch off one kind
@never_cache
@require_http_methods(["GET", "POST"])
def off(request: HttpRequest, token: str) -> HttpResponse:
    """Ask on GET, because virus scanners follow every link; switch the kind off on POST."""
    found = email_preferences.meant(token)
    if found is None:
        raise Http404
    user_id, kind = found
    if request.method == "POST":
        email_preferences.switch_off(user_id, kind=kind)
    return render(request, "mail/off.html", {"kind": kind, "is_done": request.method == "POST"})
