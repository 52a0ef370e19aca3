"""Querysets and list filters of what needs an operator's attention; they read open rows only, never the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Exists, ExpressionWrapper, F, FloatField, OuterRef, Q, QuerySet
from django.db.models.functions import Cast, Coalesce, Greatest
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orders.models import Service
from providers.models import Offer, Route
from providers.placing import routing
from providers.tracking import waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A reason why orders wait. ``title`` is called with the number of orders and contains one ``%s`` for it."""

    label: Any
    title: Callable[[int], str]
    detail: Any
    tone: str = "warning"
    icon: str = "clock"


#: By the keys of ``waiting.ORDERS``, in the same order.
REASONS: Mapping[str, Reason] = {
    "undecided": Reason(
        label=_("outcome unknown, needs a decision"),
        title=lambda n: ngettext("%s order with an unknown outcome", "%s orders with an unknown outcome", n),
        detail=_("No clear answer came: the provider may or may not have them."),
        tone="danger",
        icon="doubt",
    ),
    "searched": Reason(
        label=_("outcome unknown, being searched for"),
        title=lambda n: ngettext("%s order is being searched for", "%s orders are being searched for", n),
        detail=_("No clear answer came from the provider. This usually resolves itself within five minutes."),
        tone="info",
        icon="doubt",
    ),
    "submitting": Reason(
        label=_("submission not finished"),
        title=lambda n: ngettext("%s submission was not finished", "%s submissions were not finished", n),
        detail=_("The worker stopped while sending them. A running worker will find out whether they were placed."),
        tone="danger",
    ),
    "by_hand": Reason(
        label=_("to be delivered by hand"),
        title=lambda n: ngettext("%s order to deliver by hand", "%s orders to deliver by hand", n),
        detail=_("No provider delivers their services. Start them in the list of orders or with the Admin API."),
        tone="info",
    ),
    "routeless": Reason(
        label=_("no route"),
        title=lambda n: ngettext("%s order has no route", "%s orders have no route", n),
        detail=_("Orders wait until their service has an active route to a provider service that can be bought."),
        tone="danger",
        icon="warning",
    ),
    "paused": Reason(
        label=_("provider paused"),
        title=lambda n: ngettext("%s order waits for a paused provider", "%s orders wait for a paused provider", n),
        detail=_("Orders continue when the pause ends or you resume the provider."),
        icon="pause",
    ),
    "retrying": Reason(
        label=_("waiting for the next attempt"),
        title=lambda n: ngettext("%s order waits for its next attempt", "%s orders wait for their next attempt", n),
        detail=_(
            "The provider could not be reached or did not accept the order, for example because our balance is too low."
        ),
    ),
    "waiting": Reason(
        label=_("queued for over 15 minutes"),
        title=lambda n: ngettext("%s order queued for over 15 minutes", "%s orders queued for over 15 minutes", n),
        detail=_(
            "A provider could accept them. Either the worker is behind, or every route costs more than the order."
        ),
    ),
    "overdue": Reason(
        label=_("in progress for too long"),
        title=lambda n: ngettext("%s order in progress for too long", "%s orders in progress for too long", n),
        detail=_("Much longer than their service usually takes. Ask the provider, or cancel them."),
    ),
    "odd": Reason(
        label=_("unexpected report from the provider"),
        title=lambda n: ngettext(
            "%s order with an unexpected provider report", "%s orders with an unexpected provider report", n
        ),
        detail=_("The report changed nothing. Check the order, then mark it as seen."),
        icon="warning",
    ),
}


def unserved() -> QuerySet[Service]:
    """Return the services on sale without a route to a provider service that can be bought."""
    sold = Service.objects.filter(is_active=True, category__is_active=True, is_manual=False)
    return sold.filter(~Exists(_usable("pk")))


def at_a_loss() -> QuerySet[Service]:
    """Return the services on sale that cost more than their price on a route; approximate, for display only."""
    # A higher cost that waits for approval counts, because the panel bills it already.
    billed = Greatest(F("offer__rate"), Coalesce(F("offer__pending_rate"), F("offer__rate")))
    cost = ExpressionWrapper(
        # As floats, because the product of the two columns, each in units of 10^-8, does not fit 64 bits.
        Cast(billed, FloatField()) * Cast("offer__provider__exchange_rate", FloatField()) / 1e8,
        output_field=FloatField(),
    )
    routes = routing.usable().filter(service_id=OuterRef("pk"), offer__is_flat=OuterRef("is_flat"))
    dear = routes.alias(cost=cost).filter(cost__gt=Cast(OuterRef("rate"), FloatField()) * 1.000001)
    return Service.objects.filter(Exists(dear.order_by()), is_active=True)


def gone() -> QuerySet[Offer]:
    """Return the provider services that left the price list although a service on sale uses them."""
    used = Route.objects.filter(offer=OuterRef("pk"), is_active=True, service__is_active=True)
    return Offer.objects.filter(Exists(used.order_by()), is_available=False)


def held() -> QuerySet[Offer]:
    """Return the provider services with a route that wait for approval."""
    return Offer.objects.filter(Exists(Route.objects.filter(offer=OuterRef("pk")).order_by()), is_pending_approval=True)


def _usable(service: str) -> QuerySet[Route]:
    return routing.usable().filter(service_id=OuterRef(service)).order_by()


class OrderAttention(admin.SimpleListFilter):
    title = _("needs attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, reason.label) for name, reason in REASONS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = waiting.ORDERS.get(self.value() or "")
        return queryset.filter(pk__in=chosen().order_by().values("pk")) if chosen else queryset


class RequestAttention(admin.SimpleListFilter):
    title = _("needs attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("slow", _("waiting for the provider for too long"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "slow":
            return queryset.filter(pk__in=waiting.slow_requests(queryset.model).order_by().values("pk"))
        return queryset


class ServiceAttention(admin.SimpleListFilter):
    title = _("needs attention")
    parameter_name = "attention"
    found = {"unserved": unserved, "loss": at_a_loss}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("unserved", _("on sale without a usable route")), ("loss", _("costs more than its price"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.found.get(self.value() or "")
        return queryset.filter(pk__in=chosen().order_by().values("pk")) if chosen else queryset


class OfferState(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("sellable", _("can be sold")),
            ("held", _("waits for approval")),
            ("held_used", _("waits for approval, used by services")),
            ("problem", _("cannot be sold")),
            ("gone", _("not in the price list")),
            ("gone_used", _("not in the price list, used by services")),
            ("unused", _("not used by any service")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "sellable":
                return queryset.filter(is_available=True, problem="")
            case "held":
                return queryset.filter(is_pending_approval=True)
            case "held_used":
                return queryset.filter(pk__in=held().values("pk"))
            case "problem":
                return queryset.filter(~Q(problem=""), is_available=True)
            case "gone":
                return queryset.filter(is_available=False)
            case "gone_used":
                return queryset.filter(pk__in=gone().values("pk"))
            case "unused":
                return queryset.filter(~Exists(Route.objects.filter(offer=OuterRef("pk")).order_by()))
        return queryset


def kinds_of(field: str, title: Any, choices: list[tuple[str, Any]]) -> type[admin.SimpleListFilter]:
    """Return a filter by a column with known values; Django's own reads the distinct ones from the whole table."""

    def lookups(self: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return choices

    def queryset(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return type(
        f"By_{field}",
        (admin.SimpleListFilter,),
        {"title": title, "parameter_name": field, "lookups": lookups, "queryset": queryset},
    )
