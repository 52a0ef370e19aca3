"""Top-ups in the back office: the queue of reviews first, a page for each, and the ways of paying by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from orders.admin import parts, words
from orders.models import Transfer
from storefront.topups import deciding, gateways
from storefront.topups.history import MARKS
from storefront.topups.models import ManualMethod, Status, TopUp


class Shown(admin.SimpleListFilter):
    title = _("review")
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("waiting for review"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(is_in_review=True) if self.value() else queryset


class ByGateway(admin.SimpleListFilter):
    """By what is in the code; Django's own filter would read the distinct values from the whole table."""

    title = _("gateway")
    parameter_name = "gateway"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(gateway.name, gateway.label) for gateway in gateways.GATEWAYS.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(gateway=self.value()) if self.value() else queryset


@admin.register(TopUp)
class TopUpAdmin(parts.Big, parts.ReadOnly, parts.ModelAdmin):
    list_display = ("reference", "mark", "customer", "label", "asked", "paid", "at", "decided_by")
    list_filter = (Shown, "status", ByGateway)
    list_select_related = ("user", "actor")
    # What waits for a person stands first; an index has this order.
    ordering = ("-is_in_review", "-id")
    search_fields = ("reference",)
    search_help_text = _("Reference, number at the gateway, or the beginning of a customer's e-mail.")

    def get_urls(self) -> list[Any]:
        def at(act: str, view: Any) -> Any:
            return path(f"<int:pk>/{act}/", self.admin_site.admin_view(view), name=f"topups_topup_{act}")

        return [
            at("approve", deciding.decision(deciding.Received, deciding.approve)),
            at("refuse", deciding.decision(deciding.Why, deciding.refuse)),
            at("settle", deciding.decision(deciding.Outcome, deciding.settle)),
            *super().get_urls(),
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Each kind of text is looked up through one index."""
        text = search_term.strip()
        if not text:
            return queryset, False
        if "@" in text:
            people = get_user_model().objects.filter(email__startswith=text.lower())
            return queryset.filter(user__in=list(people.values_list("pk", flat=True)[:200])), False
        known = Q(gateway__in=list(gateways.GATEWAYS), upstream_id=text)
        return queryset.filter(Q(reference=text.upper()) | known), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "user__id__exact" or super().lookup_allowed(lookup, value, request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        topup = self.get_object(request, object_id)
        if topup is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if not self.has_view_permission(request, topup) or request.method != "GET":
            raise PermissionDenied
        booked = f"topup:{topup.gateway}:{topup.reference}"
        context = {
            **self.admin_site.each_context(request),
            "title": _("Top-up %s") % topup.reference,
            "opts": self.opts,
            "topup": topup,
            "mark": self.mark(topup),
            "asked": words.amount(topup.amount, topup.currency),
            "paid": self.paid(topup),
            "proofs": list(topup.proofs.all()),
            "transfers": parts.list_link(Transfer, _("Transfers"), q=booked),
            **_choices(request, topup),
        }
        return TemplateResponse(request, "admin/topups/topup/review.html", context)

    # ---------------------------------------------------------------------------------------------- columns

    @admin.display(description=_("status"))
    def mark(self, topup: TopUp) -> str:
        label = _("For review") if topup.is_in_review else topup.get_status_display()
        return words.mark("in-doubt" if topup.is_in_review else MARKS[Status(topup.status)], label=label)

    @admin.display(description=_("customer"))
    def customer(self, topup: TopUp) -> str:
        return format_html('<bdi class="clip">{}</bdi>', topup.user)

    @admin.display(description=_("asked for"))
    def asked(self, topup: TopUp) -> str:
        return words.amount(topup.amount, topup.currency)

    @admin.display(description=_("paid"))
    def paid(self, topup: TopUp) -> str:
        """In whatever the gateway said, which need not be a currency that we can write."""
        if topup.paid_amount is None or topup.paid_currency == topup.currency:
            return words.amount(topup.paid_amount, topup.currency)
        return format_html("<bdi>{} {}</bdi>", topup.paid_amount.normalize(), topup.paid_currency)

    @admin.display(description=_("started at"))
    def at(self, topup: TopUp) -> str:
        return words.moment(topup.created_at)

    @admin.display(description=_("by"))
    def decided_by(self, topup: TopUp) -> str:
        return str(topup.actor or words.NONE)


def _choices(request: HttpRequest, topup: TopUp) -> dict[str, Any]:
    """The buttons that are open to this person now."""
    may = request.user.has_perm(deciding.PERMISSION) and topup.user_id != request.user.pk
    is_credited = topup.status == Status.CREDITED
    return {
        "can_approve": may and not is_credited,
        "can_refuse": may and topup.is_open,
        "can_settle": may and topup.is_in_review and not topup.is_open,
        "received": deciding.Received(initial={"amount": _suggested(topup)}, auto_id=False),
        "why": deciding.Why(auto_id=False),
        "outcome": deciding.Outcome(auto_id=False),
    }


def _suggested(topup: TopUp) -> Any:
    """What came in our currency, if that is known; else what was asked for."""
    if topup.paid_amount is not None and topup.paid_currency == topup.currency:
        return topup.paid_amount
    return topup.amount


@admin.register(ManualMethod)
class ManualMethodAdmin(parts.EditableRows, parts.ModelAdmin):
    list_display = ("name", "hint", "least", "most", "is_active", "position")
    list_editable = ("is_active", "position")
    formfield_overrides = parts.PLAIN_NUMBERS
    fields = ("name", "hint", "instructions", "details", "minimum", "maximum", "is_active", "position")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Payments that are under way name them: they are made inactive."""
        return False

    @admin.display(description=_("least"))
    def least(self, method: ManualMethod) -> str:
        return words.amount(method.minimum)

    @admin.display(description=_("most"))
    def most(self, method: ManualMethod) -> str:
        return words.amount(method.maximum)
