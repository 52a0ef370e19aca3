"""The admin pages of promotions: payment bonuses, coupons, and the list of every bonus that was given."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from orders.admin import base, formatting
from orders.db.money_fields import PercentField
from orders.models import Transfer
from storefront.promotions import affiliates, coupons, granting, payment_bonuses
from storefront.promotions.models import (
    ONLY,
    Affiliate,
    Bonus,
    Commission,
    CommissionStatus,
    Coupon,
    PaymentBonus,
    PromotionSettings,
)

NUMBERS = {**base.PLAIN_NUMBERS, PercentField: {"form_class": base.PlainDecimalField}}


class PromotionForm(base.ConcurrentForm):
    """A form whose inputs of dates and times have labels, which Django's widget only shows beside them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            for part, name in zip(getattr(field.widget, "widgets", ()), (_("date"), _("time")), strict=False):
                part.attrs["aria-label"] = f"{field.label}: {name}"


class PaymentBonusForm(PromotionForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "method" not in self.fields:
            return
        known = payment_bonuses.method_choices()
        if self.instance.method and self.instance.method not in dict(known):
            known.append((self.instance.method, self.instance.method))
        column = self.fields["method"]
        self.fields["method"] = forms.ChoiceField(
            label=column.label,
            choices=[("", _("All payment methods")), *known],
            required=False,
            help_text=column.help_text,
        )


@admin.register(PaymentBonus)
class PaymentBonusAdmin(base.EditableRowsMixin, base.ModelAdmin):
    form = PaymentBonusForm
    formfield_overrides = NUMBERS
    list_display = (
        "bonus", "method_label", "starts", "ends", "uses_per_customer", "budget_amount", "total", "is_active",
    )  # fmt: skip
    list_editable = ("is_active",)
    fields = (
        "from_amount", "percent", "fixed", "method", "is_active", "starts_at", "ends_at", "uses_per_customer", "budget",
        "total",
    )  # fmt: skip
    readonly_fields = ("total",)

    @admin.display(description=_("bonus"))
    def bonus(self, step: PaymentBonus) -> str:
        return payment_bonuses.describe(step)

    @admin.display(description=_("payment method"))
    def method_label(self, step: PaymentBonus) -> str:
        labels = dict(payment_bonuses.method_choices()) if step.method else {}
        return labels.get(step.method, step.method) or str(_("All payment methods"))

    @admin.display(description=_("starts at"), ordering="starts_at")
    def starts(self, step: PaymentBonus) -> str:
        return formatting.moment(step.starts_at)

    @admin.display(description=_("ends at"), ordering="ends_at")
    def ends(self, step: PaymentBonus) -> str:
        return formatting.moment(step.ends_at)

    @admin.display(description=_("total budget"), ordering="budget")
    def budget_amount(self, step: PaymentBonus) -> str:
        return formatting.amount(step.budget)

    @admin.display(description=_("given so far"))
    def total(self, step: PaymentBonus) -> str:
        return formatting.amount(step.given)


@admin.register(Coupon)
class CouponAdmin(base.EditableRowsMixin, base.ModelAdmin):
    form = PromotionForm
    formfield_overrides = NUMBERS
    list_display = ("code", "type", "bonus", "minimum_amount", "used", "expires", "is_active")
    list_editable = ("is_active",)
    list_filter = ("type", "is_active")
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("code__istartswith",)
    search_help_text = _("The beginning of a code.")
    fields = (
        "code", "type", "percent", "amount", "maximum", "minimum", "max_uses", "is_once_per_customer",
        "is_first_payment_only", "expires_at", "is_active", "used", "bonuses",
    )  # fmt: skip
    readonly_fields = ("used", "bonuses")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("bonus"))
    def bonus(self, coupon: Coupon) -> str:
        return coupons.describe(coupon)

    @admin.display(description=_("minimum payment"), ordering="minimum")
    def minimum_amount(self, coupon: Coupon) -> str:
        return formatting.amount(coupon.minimum) if coupon.minimum else formatting.NONE

    @admin.display(description=_("uses"), ordering="uses")
    def used(self, coupon: Coupon) -> str:
        if coupon.max_uses is None:
            return formatting.count(coupon.uses)
        return formatting.left_to_right(f"{formatting.count(coupon.uses)} / {formatting.count(coupon.max_uses)}")

    @admin.display(description=_("expires at"), ordering="expires_at")
    def expires(self, coupon: Coupon) -> str:
        return formatting.moment(coupon.expires_at)

    @admin.display(description=_("bonuses given"))
    def bonuses(self, coupon: Coupon) -> str:
        if not coupon.uses:
            return formatting.NONE
        return base.list_link(Bonus, _("View bonuses"), coupon__id__exact=coupon.pk)


@admin.register(Bonus)
class BonusAdmin(base.IndexedSearchMixin, base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    list_display = ("at", "customer", "source", "given", "returned", "lost", "payment")
    list_filter = ("source",)
    list_select_related = ("user",)
    search_fields = ("reference",)
    search_help_text = _("Payment reference, or the beginning of a customer's email address.")
    fields = (
        "source", "customer", "given", "returned", "lost", "payment", "payment_bonus", "coupon", "reference",
        "transfers", "created_at",
    )  # fmt: skip

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Search by customer email, payment or reference, each through one index."""
        if "@" in text:
            return rows.filter(user__in=base.customers_with_email(text))
        return rows.filter(Q(reference=text) | Q(payment_reference=text.upper()))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in ("user__id__exact", "coupon__id__exact") or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("date"))
    def at(self, bonus: Bonus) -> str:
        return formatting.moment(bonus.created_at)

    @admin.display(description=_("customer"))
    def customer(self, bonus: Bonus) -> str:
        return format_html('<bdi class="clip">{}</bdi>', bonus.user)

    @admin.display(description=_("amount"))
    def given(self, bonus: Bonus) -> str:
        return formatting.amount(bonus.amount)

    @admin.display(description=_("taken back"))
    def returned(self, bonus: Bonus) -> str:
        return formatting.amount(bonus.taken_back) if bonus.taken_back else formatting.NONE

    @admin.display(description=_("not recovered"))
    def lost(self, bonus: Bonus) -> str:
        """Return what should have been taken back after a refund, but was spent before."""
        missing = granting.owed(bonus) - bonus.taken_back
        return formatting.amount(missing) if missing else formatting.NONE

    @admin.display(description=_("payment"))
    def payment(self, bonus: Bonus) -> str:
        if bonus.payment_number is None:
            return formatting.NONE
        url = reverse("admin:payments_payment_change", args=[bonus.payment_number])
        return format_html('<a href="{}"><bdi>{}</bdi></a>', url, bonus.payment_reference)

    @admin.display(description=_("transactions"))
    def transfers(self, bonus: Bonus) -> str:
        return base.list_link(Transfer, _("View transactions"), q=f"bonus:{bonus.reference}")


@admin.register(PromotionSettings)
class PromotionSettingsAdmin(base.EditableRowsMixin, base.ModelAdmin):
    form = PromotionForm
    formfield_overrides = NUMBERS
    fieldsets = (
        (_("Welcome credit"), {"fields": ("welcome_amount", "welcome_budget", "welcome_total")}),
        (
            _("Affiliates"),
            {"fields": ("is_affiliates_on", "affiliate_percent", "affiliate_days", "affiliate_minimum")},
        ),
    )
    readonly_fields = ("welcome_total",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Redirect to the only row instead of showing a list."""
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        row, _is_new = PromotionSettings.objects.get_or_create(pk=ONLY)
        return redirect(base.page_url(row))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        transaction.on_commit(affiliates.clear_cache)

    @admin.display(description=_("given so far"))
    def welcome_total(self, row: PromotionSettings) -> str:
        return formatting.amount(row.welcome_given)


@admin.register(Affiliate)
class AffiliateAdmin(base.IndexedSearchMixin, base.EditableRowsMixin, base.LargeTableMixin, base.ModelAdmin):
    form = PromotionForm
    formfield_overrides = NUMBERS
    list_display = ("customer", "code", "visits", "sign_ups", "pending", "available", "paid", "is_active")
    list_editable = ("is_active",)
    list_filter = ("is_active",)
    list_select_related = ("user",)
    search_fields = ("code",)
    search_help_text = _("A code, or the beginning of a customer's email address.")
    fields = (
        "customer", "code", "is_active", "percent", "visits", "sign_ups", "pending", "available", "paid",
        "commissions", "created_at",
    )  # fmt: skip
    readonly_fields = (
        "customer", "code", "visits", "sign_ups", "pending", "available", "paid", "commissions", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return affiliates.with_figures(super().get_queryset(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Deny: customers join by themselves."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Search by code or customer email, each through one index."""
        if "@" in text:
            return rows.filter(user__in=base.customers_with_email(text))
        return rows.filter(code=text.lower())

    @admin.display(description=_("customer"))
    def customer(self, affiliate: Affiliate) -> str:
        return format_html('<bdi class="clip">{}</bdi>', affiliate.user)

    @admin.display(description=_("clicks"))
    def visits(self, affiliate: Affiliate) -> str:
        return formatting.count(affiliate.clicks)

    @admin.display(description=_("sign-ups"))
    def sign_ups(self, affiliate: Any) -> str:
        return formatting.count(affiliate.sign_up_count)

    @admin.display(description=CommissionStatus.PENDING.label)
    def pending(self, affiliate: Any) -> str:
        return formatting.amount(affiliate.pending_sum)

    @admin.display(description=CommissionStatus.AVAILABLE.label)
    def available(self, affiliate: Any) -> str:
        return formatting.amount(affiliate.available_sum)

    @admin.display(description=CommissionStatus.PAID.label)
    def paid(self, affiliate: Any) -> str:
        return formatting.amount(affiliate.paid_sum)

    @admin.display(description=_("commissions"))
    def commissions(self, affiliate: Affiliate) -> str:
        return base.list_link(Commission, _("View commissions"), affiliate__id__exact=affiliate.pk)


@admin.register(Commission)
class CommissionAdmin(base.IndexedSearchMixin, base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    list_display = ("at", "affiliate_email", "customer", "payment", "share", "earned", "state", "matures")
    list_filter = ("status",)
    list_select_related = ("affiliate__user", "referral__user")
    search_fields = ("payment_reference",)
    search_help_text = _("Payment reference, or the beginning of an affiliate's email address.")
    fields = (
        "affiliate_email", "customer", "payment", "paid_amount", "reversed_part", "share", "earned", "state",
        "matures_at", "payout", "created_at",
    )  # fmt: skip

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Search by affiliate or payment reference, each through one index."""
        if "@" in text:
            return rows.filter(affiliate__user__in=base.customers_with_email(text))
        return rows.filter(payment_reference=text.upper())

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "affiliate__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("date"))
    def at(self, commission: Commission) -> str:
        return formatting.moment(commission.created_at)

    @admin.display(description=_("affiliate"))
    def affiliate_email(self, commission: Commission) -> str:
        return format_html('<bdi class="clip">{}</bdi>', commission.affiliate.user)

    @admin.display(description=_("customer"))
    def customer(self, commission: Commission) -> str:
        return format_html('<bdi class="clip">{}</bdi>', commission.referral.user)

    @admin.display(description=_("payment"))
    def payment(self, commission: Commission) -> str:
        url = reverse("admin:payments_payment_change", args=[commission.payment_number])
        return format_html('<a href="{}"><bdi>{}</bdi></a>', url, commission.payment_reference)

    @admin.display(description=_("amount of the payment"))
    def paid_amount(self, commission: Commission) -> str:
        return formatting.amount(commission.paid)

    @admin.display(description=_("refunded of the payment"))
    def reversed_part(self, commission: Commission) -> str:
        return formatting.amount(commission.reversed_amount)

    @admin.display(description=_("percent"))
    def share(self, commission: Commission) -> str:
        return formatting.percent(commission.percent / 100)

    @admin.display(description=_("commission"))
    def earned(self, commission: Commission) -> str:
        return formatting.amount(commission.amount)

    @admin.display(description=_("status"))
    def state(self, commission: Commission) -> str:
        return formatting.status_badge(
            affiliates.STATUS_CLASSES[CommissionStatus(commission.status)], label=commission.get_status_display()
        )

    @admin.display(description=_("available from"))
    def matures(self, commission: Commission) -> str:
        return formatting.moment(commission.matures_at)
