"""The admin pages of payments, those waiting for review first."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from orders.admin import base, formatting
from orders.models import Transfer
from orders.rules import amounts
from storefront.payments import gateways, method_admin, review
from storefront.payments.history import STATUS_CLASSES
from storefront.payments.models import (
    REPORTED,
    Payment,
    PaymentMethod,
    PaymentRefund,
    PaymentStatus,
    RefundStatus,
    TransactionNumber,
)

__all__ = ["method_admin"]  # its pages register with the site when it is imported


class ReviewFilter(admin.SimpleListFilter):
    title = _("review")
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("needs review"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(is_in_review=True) if self.value() else queryset


class GatewayFilter(admin.SimpleListFilter):
    """Filter by the gateways in the code; Django's own filter would read the distinct values from the whole table."""

    title = _("gateway")
    parameter_name = "gateway"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        known = [(gateway.name, gateway.label) for gateway in gateways.GATEWAYS.values()]
        return [*known, (REPORTED, _("Reported through the API"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(gateway=self.value()) if self.value() else queryset


@admin.register(Payment)
class PaymentAdmin(base.IndexedSearchMixin, base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    list_display = ("reference", "mark", "customer", "label", "asked", "paid", "at", "decided_by")
    list_filter = (ReviewFilter, "status", GatewayFilter)
    list_select_related = ("user", "actor")
    # Payments that wait for a person come first. The index ``payment_review_first`` has this order.
    ordering = ("-is_in_review", "-id")
    search_fields = ("reference",)
    search_help_text = _(
        "Reference, gateway payment ID, transaction number, or the beginning of a customer's email address."
    )

    def get_urls(self) -> list[Any]:
        def at(act: str, view: Any) -> Any:
            return path(f"<int:pk>/{act}/", self.admin_site.admin_view(view), name=f"payments_payment_{act}")

        return [
            at("approve", review.decision(review.ApproveForm, review.approve)),
            at("refuse", review.decision(review.DeclineForm, review.refuse)),
            at("settle", review.decision(review.CloseReviewForm, review.settle)),
            at("refund", review.decision(review.RefundForm, review.refund)),
            at("resolve-refund", review.decision(review.RefundOutcomeForm, review.resolve_refund)),
            at("hold", review.decision(review.HoldForm, review.hold)),
            *super().get_urls(),
        ]

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Search by customer email, reference or gateway number, each through one index."""
        if "@" in text:
            return rows.filter(user__in=base.customers_with_email(text))
        methods = list(PaymentMethod.objects.values_list("pk", flat=True))
        numbers = TransactionNumber.objects.filter(method__in=methods, number=text.upper())
        named = list(numbers.values_list("payment", flat=True))
        return rows.filter(Q(reference=text.upper()) | Q(method__in=methods, upstream_id=text) | Q(pk__in=named))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "user__id__exact" or super().lookup_allowed(lookup, value, request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        payment = self.get_object(request, object_id)
        if payment is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if not self.has_view_permission(request, payment) or request.method != "GET":
            raise PermissionDenied
        wallet = getattr(payment.user, "wallet", None)
        ledger_reference = f"payment:{payment.gateway}:{payment.reference}"
        context = {
            **self.admin_site.each_context(request),
            "title": _("Payment %s") % payment.reference,
            "opts": self.opts,
            "payment": payment,
            "mark": self.mark(payment),
            "asked": formatting.amount(payment.amount, payment.currency),
            "fee": formatting.amount(payment.fee, payment.currency),
            "to_pay": f"{amounts.plain(payment.pay_amount)} {payment.pay_currency}",
            "exchange_rate": amounts.plain(payment.exchange_rate),
            "paid": self.paid(payment),
            "credited": formatting.amount(payment.credited_amount, payment.currency),
            "reversed": formatting.amount(payment.reversed_amount, payment.currency),
            "proofs": list(payment.proofs.all()),
            "numbers": list(payment.numbers.all()),
            "entries": list(payment.entries.all()),
            "events": list(payment.events.all()),
            "refunds": [_refund_row(refund) for refund in payment.refunds.select_related("actor")],
            "wallet": wallet,
            "debt": formatting.amount(wallet.debt, wallet.currency) if wallet else "",
            "transfers": base.list_link(Transfer, _("Transactions"), q=ledger_reference),
            **_choices(request, payment),
        }
        return TemplateResponse(request, "admin/payments/payment/review.html", context)

    # ---------------------------------------------------------------------------------------------- columns

    @admin.display(description=_("status"))
    def mark(self, payment: Payment) -> str:
        label = _("Needs review") if payment.is_in_review else payment.get_status_display()
        return formatting.status_badge(
            "in-doubt" if payment.is_in_review else STATUS_CLASSES[PaymentStatus(payment.status)], label=label
        )

    @admin.display(description=_("customer"))
    def customer(self, payment: Payment) -> str:
        return format_html('<bdi class="clip">{}</bdi>', payment.user)

    @admin.display(description=_("amount"))
    def asked(self, payment: Payment) -> str:
        return formatting.amount(payment.amount, payment.currency)

    @admin.display(description=_("amount paid"))
    def paid(self, payment: Payment) -> str:
        """Return the paid amount in the gateway's currency, which is not always one that can be formatted."""
        if payment.paid_amount is None or payment.paid_currency == payment.currency:
            return formatting.amount(payment.paid_amount, payment.currency)
        return format_html("<bdi>{} {}</bdi>", payment.paid_amount.normalize(), payment.paid_currency)

    @admin.display(description=_("started at"))
    def at(self, payment: Payment) -> str:
        return formatting.moment(payment.created_at)

    @admin.display(description=_("decided by"))
    def decided_by(self, payment: Payment) -> str:
        return str(payment.actor or formatting.NONE)


def _choices(request: HttpRequest, payment: Payment) -> dict[str, Any]:
    """Return which decisions this operator can make now, with their forms."""
    may = request.user.has_perm(review.PERMISSION) and payment.user_id != request.user.pk
    is_credited = payment.status == PaymentStatus.CREDITED
    return {
        "can_approve": may and not is_credited,
        "can_refuse": may and payment.is_open,
        "can_settle": may and payment.is_in_review and not payment.is_open,
        "can_refund": may and payment.kept_amount > 0 and _can_refund(payment),
        "can_hold": may,
        "refund_form": review.RefundForm(initial={"amount": payment.kept_amount}, auto_id=False),
        "received": review.ApproveForm(initial={"amount": _suggested(payment)}, auto_id=False),
        "decline": review.DeclineForm(auto_id=False),
        "outcome": review.CloseReviewForm(auto_id=False),
    }


def _can_refund(payment: Payment) -> bool:
    gateway = gateways.GATEWAYS.get(payment.gateway)
    return gateway is not None and gateway.can_refund and payment.method is not None


def _refund_row(refund: PaymentRefund) -> dict[str, Any]:
    is_open = refund.status in (RefundStatus.UNKNOWN, RefundStatus.PENDING)
    form = review.RefundOutcomeForm(initial={"refund": refund.pk}, auto_id=False) if is_open else None
    return {"refund": refund, "amount": formatting.amount(refund.amount, refund.payment.currency), "form": form}


def _suggested(payment: Payment) -> Any:
    """Return the received amount if it is known and in the store currency, otherwise the requested amount."""
    if payment.paid_amount is not None and payment.paid_currency == payment.currency:
        return payment.paid_amount
    return payment.amount
