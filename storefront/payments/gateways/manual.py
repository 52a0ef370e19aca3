"""Manual payment: the customer follows the shop's instructions and uploads a proof, and staff reviews it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orders.rules import amounts
from storefront.payments.gateway import Gateway, Instructions, Next, Way
from storefront.payments.models import ManualMethod


class Manual(Gateway):
    # Do not use "manual": in the ledger it marks credits that operators make on the command line.
    name = "transfer"
    label = _("Manual payment")
    takes_proofs = True
    expires_after = timedelta(days=14)

    def ways(self) -> Sequence[Way]:
        return [
            Way(
                method=str(method.pk),
                label=method.name,
                hint=method.hint,
                minimum=method.minimum,
                maximum=method.maximum,
                fee=_("No fee"),
            )
            for method in ManualMethod.objects.filter(is_active=True)
        ]

    def start(self, payment: Any) -> Next:
        """Return the payment's own page, which shows the instructions. No external service is called."""
        return Next(address=reverse("payments:payment", args=[payment.reference]), is_waiting=False)

    def instructions(self, payment: Any) -> Instructions | None:
        method = ManualMethod.objects.filter(pk=payment.method).first()
        if method is None:
            return None
        return Instructions(_filled(method.instructions, payment), _filled(method.details, payment))


def _filled(text: str, payment: Any) -> str:
    """Fill in the amount and the reference.

    Only these two placeholders are replaced. ``str.format`` would let the text of a method read attributes of our
    objects.
    """
    amount = f"{amounts.plain(payment.amount)} {payment.currency}"
    return text.replace("{amount}", amount).replace("{reference}", payment.reference)
