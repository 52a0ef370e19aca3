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
from orders.errors import InsufficientFunds, InvalidAmount, OwnMoney, ReferenceReused
from orders.ledger import transfers
from orders.models import Account, Transfer
from orders.rules import amounts
from storefront.accounts.models import User

PERMISSION = "orders.add_transfer"


class AdjustmentForm(forms.Form):
    amount = forms.DecimalField(
        label=gettext_lazy("Amount"),
        max_digits=19,
        decimal_places=amounts.AMOUNT_PLACES,
        help_text=gettext_lazy("A positive amount adds to the balance, a negative amount deducts from it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text", "dir": "ltr"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=255,
        help_text=gettext_lazy("Saved permanently with the transaction."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )
    #: Idempotency key of the form: a second click changes nothing.
    token = forms.UUIDField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}))

    def clean_amount(self) -> Any:
        if not self.cleaned_data["amount"]:
            raise forms.ValidationError(_("Enter an amount other than zero."))
        return self.cleaned_data["amount"]


def page(request: HttpRequest, user: User, site: AdminSite, opts: Any) -> HttpResponse:
    """Show the form and carry out the adjustment. The caller has checked the permission."""
    form = AdjustmentForm(request.POST or None, initial={"token": uuid.uuid4()})
    if request.method == "POST" and form.is_valid() and _adjust(request, user, form):
        return redirect(base.page_url(user))
    wallet = Account.objects.filter(user=user).first()
    context = {
        **site.each_context(request),
        "title": _("Adjust balance"),
        "opts": opts,
        "customer": user,
        "balance": formatting.amount(wallet.balance, wallet.currency) if wallet else formatting.NONE,
        "form": form,
    }
    return TemplateResponse(request, "admin/accounts/user/adjust.html", context)


def _adjust(request: HttpRequest, user: User, form: AdjustmentForm) -> bool:
    """Adjust the balance, or add the error to the form.

    Returns:
        Whether the balance is adjusted, now or earlier by the same form.
    """
    data = form.cleaned_data
    reference = f"staff:{data['token']}"
    try:
        with transaction.atomic():
            wallet = Account.objects.select_for_update().get(pk=transfers.open_wallet(user).pk)
            is_new = not Transfer.objects.filter(reference=f"adjust:{reference}").exists()
            transfer = transfers.adjust(
                wallet, amount=data["amount"], reference=reference, actor=request.user, note=data["reason"]
            )
            message = _("Balance adjusted by %(amount)s: %(reason)s") % {
                "amount": formatting.amount_text(data["amount"], wallet.currency),
                "reason": transfer.note,
            }
            if is_new:
                LogEntry.objects.log_actions(request.user.pk, [user], CHANGE, message)  # type: ignore[arg-type]
    except InsufficientFunds:
        form.add_error("amount", _("The balance is lower than this amount."))
    except ReferenceReused:
        form.add_error(None, _("This form was already used for a different adjustment. Reload the page and try again."))
    except OwnMoney:
        form.add_error(None, _("You can't adjust your own balance. Ask a colleague to do it."))
    except InvalidAmount:  # zero and too many decimal places are refused by the form
        form.add_error("amount", _("The balance would exceed the maximum."))
    else:
        messages.success(request, message if is_new else _("This adjustment was already made. Nothing was changed."))
        return True
    return False
