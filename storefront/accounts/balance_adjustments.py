"""The admin page on which operators add to or deduct from a balance, with a reason and once per opened form."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin import base, formatting
from orders.errors import InsufficientFunds, OrdersError, OwnMoney, ReferenceReused
from orders.ledger import transfers
from orders.models import Account, Transfer
from orders.rules import amounts
from storefront.accounts.models import User

PERMISSION = "orders.add_transfer"


class Adjustment(forms.Form):
    amount = forms.DecimalField(
        label=gettext_lazy("Amount"),
        max_digits=19,
        decimal_places=amounts.AMOUNT_PLACES,
        help_text=gettext_lazy("10 gives ten to the customer, -10 takes ten away."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text", "dir": "ltr"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=255,
        help_text=gettext_lazy("It stands in the books for good."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )
    #: Idempotency key of the form: the second of two clicks books nothing.
    token = forms.UUIDField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}))

    def clean_amount(self) -> Any:
        if not self.cleaned_data["amount"]:
            raise forms.ValidationError(_("An adjustment of nothing changes nothing."))
        return self.cleaned_data["amount"]


def page(request: HttpRequest, user: User, site: AdminSite, opts: Any) -> HttpResponse:
    """Show the form and carry out the adjustment. The caller has checked the permission."""
    form = Adjustment(request.POST or None, initial={"token": uuid.uuid4()})
    if request.method == "POST" and form.is_valid() and _book(request, user, form):
        return redirect(base.page_url(user))
    wallet = Account.objects.filter(user=user).first()
    context = {
        **site.each_context(request),
        "title": _("Adjust the wallet"),
        "opts": opts,
        "customer": user,
        "held": formatting.amount(wallet.balance, wallet.currency) if wallet else formatting.NONE,
        "form": form,
    }
    return TemplateResponse(request, "admin/accounts/user/adjust.html", context)


def _book(request: HttpRequest, user: User, form: Adjustment) -> bool:
    """Book the adjustment, or add the problem to the form.

    Returns:
        Whether it is booked, now or earlier by the same form.
    """
    given = form.cleaned_data
    reference = f"staff:{given['token']}"
    try:
        with transaction.atomic():
            wallet = Account.objects.select_for_update().get(pk=transfers.open_wallet(user).pk)
            is_new = not Transfer.objects.filter(reference=f"adjust:{reference}").exists()
            done = transfers.adjust(
                wallet, amount=given["amount"], reference=reference, actor=request.user, note=given["reason"]
            )
            said = _("Wallet adjusted by %(amount)s: %(reason)s") % {
                "amount": formatting.amount_text(given["amount"], wallet.currency),
                "reason": done.note,
            }
            if is_new:
                LogEntry.objects.log_actions(request.user.pk, [user], CHANGE, said)  # type: ignore[arg-type]
    except InsufficientFunds:
        form.add_error("amount", _("The wallet holds less than that."))
    except ReferenceReused:
        form.add_error(None, _("This form was used for another amount or customer. Open it again."))
    except OwnMoney:
        form.add_error(None, _("This is your own balance. A colleague has to adjust it."))
    except OrdersError as problem:
        form.add_error("amount", str(problem))
    else:
        messages.success(request, said if is_new else _("This was booked before; nothing more was moved."))
        return True
    return False
