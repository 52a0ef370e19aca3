"""Explanations for operators why a queued order waits: one sentence for the order, and one for each of its routes."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from orders.models import Order
from orders.rules import amounts
from orders.rules.state_machine import Status
from providers import note_texts
from providers.models import Offer
from providers.placing import costs, routing
from providers.reconciling import holds
from providers.transport import funds, offer_pauses


def explain(order: Order) -> list[str]:
    """Return what ``order`` waits for; an empty list if it is not queued or could be placed now."""
    if order.state is not Status.QUEUED:
        return []
    now = timezone.now()
    if order.starts_at is not None and order.starts_at > now:
        return [_("The customer asked for a start at %s.") % _time(order.starts_at)]
    if order.service.is_manual:
        return [_("It is delivered by hand, so it waits for staff.")]
    reasons = []
    is_due = order.due_at is None or order.due_at <= now
    if order.due_at is not None and not is_due:
        reasons.append(_("The next attempt is at %s.") % _time(order.due_at))
    offers = routing.offers_of(order)
    if not offers:
        return [*reasons, _("No active route leads to a provider service that can be bought.")]
    paused, held = offer_pauses.paused_offers(), holds.held_requests()
    for offer in offers:
        reason = _at(offer, order, paused.get(offer.pk), held)
        if not reason and is_due:
            return []
        if reason:
            reasons.append(reason)
    return reasons


def _at(offer: Offer, order: Order, paused_until: datetime | None, held: holds.Held) -> str:
    """Return why ``order`` is not placed at ``offer`` now, or "" if it could be."""
    provider = offer.provider
    _number, quantity = routing.part(order, offer)
    cost = offer.cost_of(quantity)
    names = {"provider": provider.name, "service": offer.upstream_id}
    if routing.has_refused(offer, order):
        return _("%(provider)s rejected this order for its service %(service)s.") % names
    if not costs.covers(order.charge, offer, quantity=order.quantity):
        return _("Service %(service)s of %(provider)s costs more than the customer paid.") % names
    if provider.is_paused and provider.paused_until is not None:
        text = _("%(provider)s is paused until %(time)s: %(reason)s")
        return text % {
            **names,
            "time": _time(provider.paused_until),
            "reason": note_texts.describe(provider.pause_reason),
        }
    if paused_until is not None:
        text = _(
            "%(provider)s returned an unknown error for its service %(service)s. The next order for it is sent at "
            "%(time)s."
        )
        return text % {**names, "time": _time(paused_until)}
    if not funds.can_afford(provider, cost) and provider.funds_retry_at is not None:
        text = _(
            "The balance at %(provider)s is too low for this order, which costs %(cost)s %(currency)s. Add funds "
            "there; the next attempt is at %(time)s."
        )
        price = amounts.plain(cost)
        return text % {**names, "cost": price, "currency": provider.currency, "time": _time(provider.funds_retry_at)}
    if holds.is_order_held(order, offer, quantity, held):
        return (
            _("It waits up to two minutes, because the outcome of a similar order at %(provider)s is unknown.") % names
        )
    return ""


def _time(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
