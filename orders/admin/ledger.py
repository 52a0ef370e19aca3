"""Read-only back office pages for the ledger, which only ``orders.ledger.transfers`` writes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orders.admin import base, formatting
from orders.models import Account, Order, Transfer
from orders.models.ledger import AccountKind, TransferKind


@admin.register(Account)
class AccountAdmin(base.ReadOnlyMixin, base.ModelAdmin):
    list_display = ("name", "kind", "balance_now", "level", "created", "transactions")
    list_filter = ("kind",)
    list_select_related = ("user", "level")
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-id",)
    search_fields = ("user__email__startswith", "code__startswith")
    search_help_text = _("Search by the beginning of a customer's email address or of a house account's name.")
    fields = (
        "kind",
        "name",
        "customer",
        "balance_now",
        "currency",
        "spent",
        "level",
        "is_level_pinned",
        "created_at",
        "transactions",
    )

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "level__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("account"))
    def name(self, account: Account) -> str:
        return str(account.user if account.kind == AccountKind.WALLET else account.code)

    @admin.display(description=_("customer"))
    def customer(self, account: Account) -> str:
        return base.page_link(account.user)

    @admin.display(description=_("balance"), ordering="balance")
    def balance_now(self, account: Account) -> str:
        return formatting.amount(account.balance, account.currency)

    @admin.display(description=_("created at"), ordering="id")
    def created(self, account: Account) -> str:
        return formatting.moment(account.created_at)

    @admin.display(description=_("transactions"))
    def transactions(self, account: Account) -> str:
        if account.kind == AccountKind.WALLET:
            return base.list_link(Transfer, _("View transactions"), wallet__id__exact=account.pk)
        return formatting.NONE


class TransferKindFilter(admin.ChoicesFieldListFilter):
    """A filter by kind that uses the small partial index of transfers without an order for kinds that have none."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        kind = next(iter(self.lookup_val or ()), "")
        if kind in (TransferKind.PAYMENT, TransferKind.ADJUSTMENT, TransferKind.BONUS):
            queryset = queryset.filter(order__isnull=True)
        found: Any = super().queryset(request, queryset)
        return found  # type: ignore[no-any-return]


@admin.register(Transfer)
class TransferAdmin(base.IndexedSearchMixin, base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    list_display = ("number", "at", "kind", "customer", "moved", "after", "path", "of_order", "reference")
    list_filter = (("kind", TransferKindFilter),)
    list_select_related = ("wallet__user", "source", "target")
    search_fields = ("reference",)
    search_help_text = _("Search by order ID, exact reference, or the beginning of a customer's email address.")
    fields = (
        "kind", "reference", "customer", "moved", "after", "source", "target", "of_order", "actor", "note",
        "created_at",
    )  # fmt: skip

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Search by email, order number or reference, each using one index."""
        if "@" in text:
            wallets = Account.objects.filter(user__email__startswith=text.lower()).values_list("pk", flat=True)[:200]
            return rows.filter(wallet__in=list(wallets))
        found = Q(reference=text)
        if base.is_number(text):
            found |= Q(order_id=int(text))
        return rows.filter(found)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in ("wallet__id__exact", "order__id__exact") or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("No."))
    def number(self, transfer: Transfer) -> int:
        return transfer.pk

    @admin.display(description=_("date"))
    def at(self, transfer: Transfer) -> str:
        return formatting.moment(transfer.created_at)

    @admin.display(description=_("customer"))
    def customer(self, transfer: Transfer) -> str:
        return str(transfer.wallet.user) if transfer.wallet else formatting.NONE

    @admin.display(description=_("amount"))
    def moved(self, transfer: Transfer) -> str:
        """Return the amount, negative if it leaves the customer's balance."""
        is_out = transfer.wallet_id == transfer.source_id
        return formatting.amount(-transfer.amount if is_out else transfer.amount, transfer.source.currency)

    @admin.display(description=_("balance after"))
    def after(self, transfer: Transfer) -> str:
        return formatting.amount(transfer.wallet_after, transfer.source.currency)

    @admin.display(description=_("from → to"))
    def path(self, transfer: Transfer) -> str:
        return formatting.left_to_right(f"{transfer.source} → {transfer.target}")

    @admin.display(description=_("order"))
    def of_order(self, transfer: Transfer) -> str:
        if transfer.order_id is None:
            return formatting.NONE
        return base.page_link(Order(pk=transfer.order_id), transfer.order_id)
