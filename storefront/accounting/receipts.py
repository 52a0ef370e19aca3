"""Receipts of credited payments: their numbers, and what they keep."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import get_currency_precision
from django.conf import settings
from django.db import transaction

from orders.rules import amounts
from storefront.accounting.models import ONLY, BillingDetails, Receipt
from storefront.payments.models import Payment, PaymentStatus


def issue(payment: Payment) -> Receipt:
    """Return the receipt of a credited payment; issue it the first time, with the next number.

    The row of the billing details is locked from reading the last number until the receipt is stored. Of two requests
    at once the second waits and finds the receipt, and a number whose receipt could not be stored is not used up: the
    numbers have no gaps.

    Raises:
        ValueError: The payment was not credited.
    """
    if payment.status != PaymentStatus.CREDITED:
        raise ValueError(f"payment {payment.reference} was not credited")
    if (issued := Receipt.objects.filter(payment=payment).first()) is not None:
        return issued
    BillingDetails.objects.get_or_create(pk=ONLY)
    with transaction.atomic():
        details = BillingDetails.objects.select_for_update().get(pk=ONLY)
        if (issued := Receipt.objects.filter(payment=payment).first()) is not None:
            return issued
        details.last_number += 1
        details.save(update_fields=["last_number"])
        return Receipt.objects.create(
            payment=payment,
            number=details.last_number,
            prefix=details.prefix,
            amount=payment.credited_amount,
            fee=payment.fee,
            currency=payment.currency,
            tax_name=details.tax_name if details.tax_rate else "",
            tax_rate=details.tax_rate,
            tax=included_tax(payment.credited_amount + payment.fee, details.tax_rate),
            seller={"name": details.name, "address": details.address, "tax_number": details.tax_number},
            buyer={"name": payment.user.name, "email": payment.user.email},
        )


def included_tax(total: Decimal, rate: Decimal) -> Decimal:
    """Return the tax in ``total``, which includes it, rounded to the decimals of the store currency.

    Args:
        rate: Percent of the amount without tax.
    """
    exact = amounts.divide(amounts.multiply(total, rate), 100 + rate)
    return amounts.round_half_up(exact, Decimal(1).scaleb(-get_currency_precision(settings.STORE_CURRENCY)))
