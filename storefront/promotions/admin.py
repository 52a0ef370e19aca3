"""The admin pages of promotions: payment bonuses, and the list of every bonus that was given."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from orders.admin import base, formatting
from orders.db.money_fields import PercentField
from orders.models import Transfer
from storefront.promotions import granting, payment_bonuses
from storefront.promotions.models import Bonus, PaymentBonus

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


@admin.register(Bonus)
class BonusAdmin(base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    list_display = ("at", "customer", "source", "given", "returned", "lost", "payment")
    list_filter = ("source",)
    list_select_related = ("user",)
    search_fields = ("reference",)
    search_help_text = _("Payment reference, or the beginning of a customer's email address.")
    fields = (
        "source", "customer", "given", "returned", "lost", "payment", "payment_bonus", "reference", "transfers",
        "created_at",
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by customer email, payment or reference, each through one index."""
        text = search_term.strip()
        if not text:
            return queryset, False
        if "@" in text:
            people = get_user_model().objects.filter(email__startswith=text.lower())
            return queryset.filter(user__in=list(people.values_list("pk", flat=True)[:200])), False
        return queryset.filter(Q(reference=text) | Q(payment_reference=text.upper())), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "user__id__exact" or super().lookup_allowed(lookup, value, request)

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
