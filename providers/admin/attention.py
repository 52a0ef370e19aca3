"""What an operator must look at, as query sets over open rows, never over the history, and the filters that show it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Exists, ExpressionWrapper, F, FloatField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast, Coalesce, Greatest
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.lifecycle import Status
from orders.models import Order, OrderEvent, Service
from orders.models.order import EventKind
from providers import doubt, routing
from providers.models import Offer, Route

#: A queued order is normally placed within seconds.
PATIENCE = timedelta(minutes=15)


def in_doubt() -> QuerySet[Order]:
    """Orders that a panel may or may not have."""
    return Order.objects.filter(status=Status.IN_DOUBT)


def undecided() -> QuerySet[Order]:
    """Orders of unknown outcome that stay so until a person decides."""
    return Order.objects.filter(pk__in=doubt.awaiting_decision().order_by().values("order_id"))


def waiting() -> QuerySet[Order]:
    """Orders that have been in the queue for longer than PATIENCE."""
    return Order.objects.filter(status=Status.QUEUED, created_at__lt=timezone.now() - PATIENCE)


def routeless() -> QuerySet[Order]:
    """Queued orders that no route can serve as things are: they wait until somebody mends the routes."""
    return Order.objects.filter(~Exists(_usable("service_id")), status=Status.QUEUED)


def odd() -> QuerySet[Order]:
    """Open orders whose last event is a report that we could not follow: "fail", an unknown word, a number missing."""
    last = OrderEvent.objects.filter(order=OuterRef("pk")).order_by("-id").values("kind")[:1]
    return Order.objects.open().alias(last=Subquery(last)).filter(last=EventKind.ODDITY)


def unserved() -> QuerySet[Service]:
    """Services that can be bought, though no route leads to an offer that can."""
    return Service.objects.filter(~Exists(_usable("pk")), is_active=True, category__is_active=True)


def at_a_loss() -> QuerySet[Service]:
    """Services on sale that cost more than their price on one of their routes. Not exact: for looking at."""
    # A higher cost that waits for approval is what the panel bills already.
    billed = Greatest(F("offer__rate"), Coalesce(F("offer__held_rate"), F("offer__rate")))
    cost = ExpressionWrapper(
        # Floats: the product of the two columns of 10^-8 does not fit 64 bits.
        Cast(billed, FloatField()) * Cast("offer__provider__exchange_rate", FloatField()) / 1e8,
        output_field=FloatField(),
    )
    routes = routing.usable().filter(service_id=OuterRef("pk"), offer__is_flat=OuterRef("is_flat"))
    dear = routes.alias(cost=cost).filter(cost__gt=Cast(OuterRef("rate"), FloatField()) * 1.000001)
    return Service.objects.filter(Exists(dear.order_by()), is_active=True)


def gone() -> QuerySet[Offer]:
    """Offers that are no longer in their provider's price list while a service on sale still uses them."""
    used = Route.objects.filter(offer=OuterRef("pk"), is_active=True, service__is_active=True)
    return Offer.objects.filter(Exists(used.order_by()), is_available=False)


def held() -> QuerySet[Offer]:
    """Offers of services that wait for approval: their cost jumped, they came back, or they became something else."""
    return Offer.objects.filter(Exists(Route.objects.filter(offer=OuterRef("pk")).order_by()), is_held=True)


def _usable(service: str) -> QuerySet[Route]:
    return routing.usable().filter(service_id=OuterRef(service)).order_by()


class OrderAttention(admin.SimpleListFilter):
    title = _("needs attention")
    parameter_name = "attention"
    found = {"undecided": undecided, "waiting": waiting, "routeless": routeless, "odd": odd}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("undecided", _("outcome unknown, needs a decision")),
            ("waiting", _("queued for over 15 minutes")),
            ("routeless", _("no route can serve it")),
            ("odd", _("odd report from the panel")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.found.get(self.value() or "")
        return queryset & chosen() if chosen else queryset


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
            ("held_used", _("waits for approval, and services use it")),
            ("problem", _("cannot be sold")),
            ("gone", _("gone from the list")),
            ("gone_used", _("gone, but services use it")),
            ("unused", _("not used by any service")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "sellable":
                return queryset.filter(is_available=True, problem="")
            case "held":
                return queryset.filter(is_held=True)
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
    """A filter by a column with known values; Django's own would read the distinct ones from the whole table."""

    def lookups(self: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return choices

    def queryset(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return type(
        f"By_{field}",
        (admin.SimpleListFilter,),
        {"title": title, "parameter_name": field, "lookups": lookups, "queryset": queryset},
    )
