"""The decisions of staff about a payment: each is a POST that calls a function of ``crediting`` or ``reversing`` and is
logged."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin import base, formatting
from orders.admin.decision_views import decision_view
from orders.errors import OrdersError, OwnMoney
from orders.ledger import transfers
from orders.rules import amounts
from storefront.payments import crediting, reversing
from storefront.payments import errors as payment_errors
from storefront.payments.models import Payment, RefundStatus

PERMISSION = "payments.change_payment"
_QUIET = {"autocomplete": "off"}


class ApproveForm(forms.Form):
    amount = base.PlainDecimalField(
        label=gettext_lazy("Amount received"),
        min_value=amounts.QUANTUM,
        max_digits=19,
        decimal_places=amounts.AMOUNT_PLACES,
        widget=forms.TextInput(attrs={**_QUIET, "inputmode": "decimal"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason, if the amount differs (visible to the customer)"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs=_QUIET),
    )


class DeclineForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason (visible to the customer)"), max_length=500, widget=forms.TextInput(attrs=_QUIET)
    )


class CloseReviewForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("How it was resolved"), max_length=500, widget=forms.TextInput(attrs=_QUIET)
    )


class RefundForm(forms.Form):
    amount = base.PlainDecimalField(
        label=gettext_lazy("Amount to refund"),
        min_value=amounts.QUANTUM,
        max_digits=19,
        decimal_places=amounts.AMOUNT_PLACES,
        widget=forms.TextInput(attrs={**_QUIET, "inputmode": "decimal"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason (visible to staff)"), max_length=500, widget=forms.TextInput(attrs=_QUIET)
    )


class RefundOutcomeForm(forms.Form):
    """What staff found out at the gateway about a refund whose outcome is unknown."""

    refund = forms.IntegerField(widget=forms.HiddenInput)
    outcome = forms.ChoiceField(
        label=gettext_lazy("At the gateway"),
        choices=[
            (RefundStatus.DONE.value, gettext_lazy("it was refunded")),
            (RefundStatus.FAILED.value, gettext_lazy("it was not refunded")),
        ],
    )


class HoldForm(forms.Form):
    is_held = forms.BooleanField(required=False, widget=forms.HiddenInput)


def approve(payment: Payment, actor: Any, *, amount: Decimal, reason: str) -> str:
    done = crediting.approve(payment, amount=amount, actor=actor, reason=reason)
    return _("Payment approved; %(amount)s added to %(customer)s.") % {
        "amount": formatting.amount_text(done.paid_amount or Decimal(0), done.currency),
        "customer": done.user,
    }


def refuse(payment: Payment, actor: Any, *, reason: str) -> str:
    crediting.refuse(payment, reason=reason, actor=actor)
    return _("Payment %(reference)s declined: %(reason)s") % {"reference": payment.reference, "reason": reason}


def settle(payment: Payment, actor: Any, *, reason: str) -> str:
    crediting.settle(payment, reason=reason, actor=actor)
    return _("Review of payment %(reference)s closed: %(reason)s") % {"reference": payment.reference, "reason": reason}


def refund(payment: Payment, actor: Any, *, amount: Decimal, reason: str) -> str:
    requested = reversing.request_refund(payment, amount=amount, reason=reason, actor=actor)
    return _("Refund of %(amount)s requested. It is sent to the gateway within a minute.") % {
        "amount": formatting.amount_text(requested.amount, payment.currency)
    }


def resolve_refund(payment: Payment, actor: Any, *, refund: int, outcome: str) -> str:
    row = payment.refunds.filter(pk=refund).first()
    if row is None or row.status not in (RefundStatus.UNKNOWN, RefundStatus.PENDING):
        raise payment_errors.AlreadyEnded("the refund is not open")
    reversing.end_refund(row, status=RefundStatus(outcome), problem=row.problem)
    if outcome == RefundStatus.FAILED:
        return _("The refund was recorded as not made, and the amount is back in the balance.")
    return _("The refund was recorded as made.")


def hold(payment: Payment, actor: Any, *, is_held: bool) -> str:
    transfers.set_held(transfers.open_wallet(payment.user), is_held=is_held)
    if is_held:
        return _("The balance of %s is on hold. The customer cannot buy anything until you release it.") % payment.user
    return _("The balance of %s was released.") % payment.user


def decision(form_class: type[forms.Form], decide: Callable[..., str]) -> Callable[..., HttpResponse]:
    """Return the view of one decision about a payment, for staff who may change payments."""
    return decision_view(
        Payment, form_class, decide, permission=PERMISSION, errors=(OrdersError,), error_text=_error_text
    )


def _error_text(problem: OrdersError) -> str:
    match problem:
        case OwnMoney():
            return _("This is your own payment. Ask a colleague to decide about it.")
        case payment_errors.AlreadyCredited():
            return _("This payment was already added to the balance. Nothing was changed.")
        case payment_errors.AlreadyEnded():
            return _("This payment has already ended. Nothing was changed.")
        case payment_errors.ReasonNeeded():
            return _("Nothing was changed. Enter a reason that the customer can see.")
        case payment_errors.NotRefundable():
            return _(
                "Nothing was refunded. At most what is left of the payment can be refunded, and the customer's balance "
                "without bonus money has to cover it."
            )
    return str(problem)
