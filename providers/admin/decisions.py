"""The decisions of an operator about one order: a POST with a reason, a function that acts, a line in the history.

Money and status are written by ``orders.lifecycle.fulfillment``, unknown outcomes by
``providers.reconciling.decisions``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.db import models
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin import formatting
from orders.admin.decision_views import decision_view
from orders.errors import OrdersError
from orders.lifecycle import fulfillment, staff_decisions
from orders.models import Order
from providers.errors import ProviderError
from providers.models import Placement
from providers.reconciling import decisions

PERMISSION = "orders.change_order"
Decide = Callable[..., str]


class ReasonForm(forms.Form):
    why = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class NumberForm(forms.Form):
    upstream_id = forms.CharField(
        label=gettext_lazy("Provider order ID"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class NotDeliveredForm(ReasonForm):
    remains = forms.IntegerField(label=gettext_lazy("Quantity not delivered"), min_value=1)
    field_order = ("remains", "why")


def cancel(order: Order, actor: Any, *, why: str) -> str:
    """Cancel an open order and refund it in full, without telling the panel."""
    done = staff_decisions.cancel(order, actor=actor, why=why)
    return _("Order %(order)s canceled; %(amount)s refunded.") % {
        "order": done.pk,
        "amount": formatting.amount_text(done.refunded),
    }


def shorten(order: Order, actor: Any, *, remains: int, why: str) -> str:
    """Mark the order as partial, or as partial by more than before, and refund what was not delivered."""
    done = staff_decisions.set_partial(order, remains=remains, actor=actor, why=why)
    return _("Order %(order)s marked as partial; %(amount)s refunded in total.") % {
        "order": done.pk,
        "amount": formatting.amount_text(done.refunded),
    }


def mark_seen(order: Order, actor: Any) -> str:
    """Take the order off the list of unexpected reports."""
    fulfillment.mark_seen(order.pk, actor=actor)
    return _("Order %s marked as seen.") % order.pk


def was_placed(placement: Placement, actor: Any, *, upstream_id: str) -> str:
    decisions.attach(placement, upstream_id=upstream_id, actor=actor)
    return _("Order %s is now tracked under this provider order ID.") % placement.order_id


def send_again(placement: Placement, actor: Any, *, why: str) -> str:
    decisions.release(placement, send_again=True, why=why, actor=actor)
    return _("Order %s is back in the queue.") % placement.order_id


def teach(placement: Placement, actor: Any) -> str:
    decisions.teach(placement, actor)
    return _("Order %s is back in the queue. This error now means “not placed” at this provider.") % (
        placement.order_id
    )


def search_now(placement: Placement, actor: Any) -> str:
    decisions.search_now(placement)
    return _("Order %s will be searched for within a minute.") % placement.order_id


def pay_back(placement: Placement, actor: Any, *, why: str) -> str:
    decisions.release(placement, send_again=False, why=why, actor=actor)
    return _("Order %s failed and was refunded.") % placement.order_id


def decision(model: type[models.Model], form_class: type[forms.Form], decide: Decide) -> Callable[..., HttpResponse]:
    """Return the view of one decision about an order or a submission, for staff who may change orders."""
    return decision_view(
        model,
        form_class,
        decide,
        permission=PERMISSION,
        errors=(OrdersError, ProviderError),
        subject_of=_order_of,
        objection=_own_order,
    )


def _order_of(row: Any) -> Order:
    return row if isinstance(row, Order) else row.order


def _own_order(order: Order, user: Any) -> str:
    return _("This is your own order. Ask a colleague to decide.") if order.user_id == user.pk else ""
