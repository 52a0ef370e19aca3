"""Payment by hand: the customer pays as the shop describes it and sends a proof, staff looks at it."""

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
    # Not "manual": that stands in the books for what operators credit from the command line.
    name = "transfer"
    label = _("By hand")
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
        """Nobody is told: the instructions are on the page of the top-up itself."""
        return Next(address=reverse("payments:payment", args=[payment.reference]), is_waiting=False)

    def instructions(self, payment: Any) -> Instructions | None:
        method = ManualMethod.objects.filter(pk=payment.method).first()
        if method is None:
            return None
        return Instructions(_filled(method.instructions, payment), _filled(method.details, payment))


def _filled(text: str, payment: Any) -> str:
    """Only these two words are replaced: the text of a template must not reach into our objects."""
    amount = f"{amounts.plain(payment.amount)} {payment.currency}"
    return text.replace("{amount}", amount).replace("{reference}", payment.reference)
