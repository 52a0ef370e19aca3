"""The bonus on payments: which step a payment reaches, and what customers read about it on the "Add funds" page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from storefront.promotions import bonus_amounts, granting
from storefront.promotions.models import Bonus, BonusSource, PaymentBonus, PaymentBonusQuerySet
from storefront.web import formats

#: The gateway of payments that a program of the operator reports. Such a program often reports a bonus as well, so a
#: bonus for all payment methods excludes them.
REPORTED = "reported"


def method_choices() -> list[tuple[str, str]]:
    """Return the payment methods to which a bonus can be limited, as (key, label)."""
    methods: Callable[[], Sequence[tuple[str, Any]]] = import_string(settings.PROMOTIONS_PAYMENT_METHODS)
    return [(key, str(label)) for key, label in methods()]


def reachable(payment: Any) -> PaymentBonusQuerySet:
    """Return the running steps that the credited ``payment`` reaches by its amount and its method."""
    return _for_method(payment).running().filter(from_amount__lte=payment.credited_amount)


def give(payment: Any) -> Bonus | None:
    """Give the bonus of the highest step that the credited ``payment`` reaches. Call it in a transaction.

    A step whose limit per customer is reached does not count. If less than the bonus is left of the budget, the
    customer gets the rest of it.

    Returns:
        The bonus; None if the payment reaches no step.
    """
    granting.lock_wallet(payment.user)
    if Bonus.objects.filter(reference=f"payment:{payment.pk}").exists():
        return None
    # Lock the steps before the uses and budgets are read, so that two payments cannot both use the last part.
    locked = PaymentBonus.objects.select_for_update().filter(
        pk__in=list(reachable(payment).values_list("pk", flat=True))
    )
    steps = list(locked.order_by("pk"))
    used = _uses(payment.user, steps)
    steps.sort(key=lambda step: (step.from_amount, step.percent, step.fixed, -step.pk), reverse=True)
    for step in steps:
        is_limited = step.uses_per_customer is not None and used.get(step.pk, 0) >= step.uses_per_customer
        if is_limited or (step.budget is not None and step.given >= step.budget):
            continue
        return _give(payment, step)
    return None


def _give(payment: Any, step: PaymentBonus) -> Bonus | None:
    amount = bonus_amounts.of_payment(
        payment.credited_amount, percent=step.percent, fixed=step.fixed, unit=granting.smallest_unit()
    )
    if step.budget is not None:
        amount = min(amount, step.budget - step.given)
    if amount <= 0:
        return None
    granting.count_given(step.pk, amount)
    return granting.give(
        payment.user,
        source=BonusSource.PAYMENT,
        reference=f"payment:{payment.pk}",
        amount=amount,
        note=payment.reference,
        payment_bonus=step,
        payment_number=payment.pk,
        payment_reference=payment.reference,
        paid=payment.credited_amount,
    )


def _for_method(payment: Any) -> PaymentBonusQuerySet:
    """Return the bonuses for the payment's method: those for all, for its gateway, and for the method itself."""
    keys = [payment.gateway]
    if payment.method_id is not None:
        keys.append(str(payment.method_id))
    if payment.gateway != REPORTED:
        keys.append("")
    return PaymentBonus.objects.filter(method__in=keys)


def _uses(user: Any, steps: Sequence[PaymentBonus]) -> dict[int, int]:
    """Return how many bonuses the customer had from each of ``steps``."""
    rows = Bonus.objects.filter(user=user, payment_bonus__in=steps).values_list("payment_bonus").annotate(Count("pk"))
    return dict(rows.order_by())


# ------------------------------------------------------------------------------------------------ texts


def texts(user: Any) -> list[str]:
    """Return a text such as "+3% from $100.00" for each bonus that ``user`` can get now, the smallest amount first."""
    steps = list(PaymentBonus.objects.running().exclude(method=REPORTED))
    if not steps:
        return []
    used = _uses(user, [step for step in steps if step.uses_per_customer is not None])
    labels = dict(method_choices())
    return [
        describe(step, labels)
        for step in steps
        if step.uses_per_customer is None or used.get(step.pk, 0) < step.uses_per_customer
    ]


def describe(step: PaymentBonus, labels: dict[str, str] | None = None) -> str:
    """Return the bonus in words.

    Args:
        labels: The labels of the payment methods by key, to name the method of a bonus that is limited to one.
    """
    text = _("%(bonus)s from %(amount)s") % {
        "bonus": size(step.percent, step.fixed),
        "amount": formats.money(step.from_amount),
    }
    if not step.method or labels is None:
        return text
    return _("%(bonus)s with %(method)s") % {"bonus": text, "method": labels.get(step.method, step.method)}


def size(percent: Decimal, fixed: Decimal) -> str:
    """Return how large a bonus is: "+3%", "+$5.00" or "+3% and $5.00"."""
    share = _("%(number)s%%") % {"number": formats.number(percent)}
    if not fixed:
        return f"+{share}"
    if not percent:
        return formats.money(fixed, is_signed=True)
    return _("+%(percent)s and %(amount)s") % {"percent": share, "amount": formats.money(fixed)}


def of_payment(payment: Any) -> Decimal:
    """Return the bonus that the customer has from ``payment``, without what was taken back."""
    rows = Bonus.objects.filter(payment_number=payment.pk).values_list("amount", "taken_back")
    return sum((amount - taken_back for amount, taken_back in rows), Decimal(0))
