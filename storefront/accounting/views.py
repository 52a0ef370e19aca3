"""Views of the books in the back office: each page, and the same table as CSV and as an Excel workbook."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from orders.admin import formatting
from orders.models import Account
from orders.models.ledger import TransferKind
from orders.rules import amounts
from providers.models import Provider
from providers.reconciling import balance_statement
from providers.transport import retention
from storefront.accounting import balances, charts, periods, profit, tables

View = Callable[..., HttpResponseBase]
STATEMENT_PERMISSIONS = ("providers.view_provider", "providers.view_placement")
LEDGER_PERMISSIONS = ("orders.view_account", "orders.view_transfer")
SALES_PERMISSIONS = ("orders.view_transfer", "providers.view_placement")
#: Rows on a page; a download has all of them.
ROWS_MAX = 200
COLUMNS = {
    "revenue": gettext_lazy("Revenue"),
    "refunds": gettext_lazy("Refunds"),
    "cost": gettext_lazy("Cost"),
    "fees": gettext_lazy("Fees"),
    "bonuses": gettext_lazy("Bonuses"),
    "other": gettext_lazy("Other"),
    "profit": gettext_lazy("Profit"),
    "adjustments": gettext_lazy("Adjustments"),
}


def requires(*permissions: str) -> Callable[[View], View]:
    """Let only staff with all of ``permissions`` see the page."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perms(permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return checked

    return decorate


def page(request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
    whole = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, f"admin/accounting/{template}.html", whole)


# ------------------------------------------------------------------------------------------------ profit


@require_safe
@requires(*SALES_PERMISSIONS)
def profit_page(request: HttpRequest) -> HttpResponseBase:
    name, period = _chosen(request)
    found = profit.report(name, period)
    is_daily = name == "day"
    return page(
        request,
        "profit",
        _("Profit"),
        report=found,
        rows=[_cells(row.label, row.figures, name, row) for row in found.rows[:ROWS_MAX]],
        total=_cells(_("Total"), found.total, name),
        columns=[str(label) for label in _columns(name).values()],
        first_column=profit.REPORTS[name],
        chart=charts.columns(found) if is_daily else charts.bars(found),
        is_daily=is_daily,
        left_out=max(len(found.rows) - ROWS_MAX, 0),
        figures=_figures(found.total),
        reports=profit.REPORTS,
        presets=periods.PRESETS,
        period=period,
        query=urlencode({"by": name, "from": period.first.isoformat(), "to": period.last.isoformat()}),
        time_zone=settings.TIME_ZONE,
    )


@require_safe
@requires(*SALES_PERMISSIONS)
def profit_file(request: HttpRequest, form: str) -> HttpResponseBase:
    name, period = _chosen(request)
    found = profit.report(name, period)
    columns = _columns(name)
    head = [str(profit.REPORTS[name]), *map(str, columns.values()), _("Margin (%)"), _("Currency")]
    rows = [(row.key if name == "day" else row.label, row.figures) for row in found.rows]
    cells = [
        [label, *(getattr(figures, column) for column in columns), _percent(figures), settings.STORE_CURRENCY]
        for label, figures in [*rows, (_("Total"), found.total)]
    ]
    file_name = f"profit-by-{name}-{period.first.isoformat()}-{period.last.isoformat()}"
    return tables.download(tables.Table(file_name, _("Profit"), head, cells), form)


def _chosen(request: HttpRequest) -> tuple[str, periods.Period]:
    name = request.GET.get("by", "day")
    if name not in profit.REPORTS:
        raise Http404
    return name, periods.parse(request.GET)


def _columns(name: str) -> dict[str, Any]:
    """Return the columns of a report; payments are received by a method, not by a service or on a provider."""
    return {**COLUMNS, "received": _("Payments received")} if name == "method" else COLUMNS


def _percent(figures: profit.Figures) -> Any:
    return None if figures.margin is None else round(figures.margin * 100, 1)


def _cells(label: str, figures: profit.Figures, name: str, row: profit.Row | None = None) -> dict[str, Any]:
    return {
        "label": formatting.left_to_right(label) if name == "day" and row else label,
        "url": _link(name, row.key) if row and row.key is not None else "",
        "cells": [
            {"text": formatting.rounded(value) if value else formatting.NONE, "is_loss": value < 0}
            for value in (getattr(figures, column) for column in _columns(name))
        ],
        "margin": formatting.NONE if figures.margin is None else formatting.percent(figures.margin),
    }


def _link(name: str, key: Any) -> str:
    """Return the address of what a row is about; "" for days and payment methods."""
    model = {"service": "orders_service", "provider": "providers_provider", "customer": "accounts_user"}.get(name)
    return reverse(f"admin:{model}_change", args=[key]) if model else ""


def _figures(total: profit.Figures) -> Sequence[dict[str, Any]]:
    margin = _("margin %s") % formatting.percent(total.margin) if total.margin is not None else ""
    refunded = (
        _("%s of revenue") % formatting.percent(amounts.divide(total.refunds, total.revenue)) if total.revenue else ""
    )
    return [
        {"name": _("Revenue"), "value": formatting.rounded(total.revenue), "note": ""},
        {"name": _("Refunds"), "value": formatting.rounded(total.refunds), "note": refunded},
        {"name": _("Cost"), "value": formatting.rounded(total.cost), "note": ""},
        {"name": _("Profit"), "value": formatting.rounded(total.profit), "note": margin},
    ]


# ------------------------------------------------------------------------------------------------ provider statement


@require_safe
@requires(*STATEMENT_PERMISSIONS)
def statement_page(request: HttpRequest) -> HttpResponseBase:
    providers = list(Provider.objects.all())
    found, period = _statement(request, providers)
    return page(
        request,
        "statement",
        _("Provider statement"),
        providers=providers,
        statement=found,
        total=_statement_lines(found) if found and found.total else None,
        differences=[_interval_cells(one, found.provider) for one in found.differences[:ROWS_MAX]] if found else [],
        orders=[_order_cells(one, found.provider) for one in found.charged_differently] if found else [],
        presets=periods.PRESETS,
        period=period,
        time_zone=settings.TIME_ZONE,
        kept_days=retention.READINGS_KEPT_DAYS,
        can_record=request.user.has_perm("providers.add_providerdeposit"),
        query=urlencode(
            {"provider": found.provider.pk, "from": period.first.isoformat(), "to": period.last.isoformat()}
        )
        if found
        else "",
    )


@require_safe
@requires(*STATEMENT_PERMISSIONS)
def statement_file(request: HttpRequest, form: str) -> HttpResponseBase:
    found, period = _statement(request, list(Provider.objects.all()))
    if found is None:
        raise Http404
    head = (
        _("From"), _("To"), _("Balance before"), _("Orders"), _("Cost of orders"), _("Returned"), _("Deposits"),
        _("Expected balance"), _("Balance after"), _("Difference"), _("Currency"),
    )  # fmt: skip
    rows: Iterable[Sequence[tables.Cell]] = (
        [
            one.start, one.end, one.opening, one.orders, one.cost, one.returned, one.deposits, one.expected,
            one.closing, one.difference, found.provider.currency,
        ]
        for one in (*found.intervals, *([found.total] if found.total else []))
    )  # fmt: skip
    name = f"statement-{found.provider.name}-{period.first.isoformat()}-{period.last.isoformat()}"
    return tables.download(tables.Table(name, _("Provider statement"), head, rows), form)


def _statement(
    request: HttpRequest, providers: Sequence[Provider]
) -> tuple[balance_statement.Statement | None, periods.Period]:
    """Return the statement of the provider that was asked for, or of the first one; None without providers."""
    period = periods.parse(request.GET)
    first = max(period.first, period.last - periods.DAY * (balance_statement.DAYS_MAX - 1))
    period = periods.Period(first, period.last, period.name)
    wanted = request.GET.get("provider", "")
    provider = next((one for one in providers if str(one.pk) == wanted), None)
    if provider is None and wanted:
        raise Http404
    provider = provider or next(iter(providers), None)
    if provider is None:
        return None, period
    return balance_statement.build(provider, start=period.start, end=period.end), period


def _statement_lines(found: balance_statement.Statement) -> list[dict[str, Any]]:
    total, currency = found.total, found.provider.currency
    assert total is not None
    lines = [
        (_("Balance before"), total.opening, formatting.moment(total.start)),
        (_("Cost of orders"), -total.cost, ngettext("%d order", "%d orders", total.orders) % total.orders),
        (_("Returned"), total.returned, _("for partial and canceled orders")),
        (_("Deposits"), total.deposits, ""),
        (_("Expected balance"), total.expected, ""),
        (_("Balance after"), total.closing, formatting.moment(total.end)),
    ]
    return [{"name": name, "value": formatting.amount(value, currency), "note": note} for name, value, note in lines]


def _interval_cells(one: balance_statement.Interval, provider: Provider) -> dict[str, Any]:
    def text(value: Any) -> Any:
        return formatting.amount(value, provider.currency)

    # Django's form for new rows takes its first values from the address.
    at = timezone.localtime(one.start).isoformat(timespec="seconds")
    deposit = urlencode({"provider": provider.pk, "amount": amounts.plain(one.difference), "paid_at": at})
    return {
        "start": one.start,
        "end": one.end,
        "cells": [
            text(value) for value in (one.opening, -one.cost, one.returned, one.deposits, one.expected, one.closing)
        ],
        "difference": text(one.difference),
        "is_less": one.difference < 0,
        "deposit": deposit if one.difference > 0 else "",
    }


def _order_cells(one: balance_statement.ChargedDifferently, provider: Provider) -> dict[str, Any]:
    return {
        "order": one.order_id,
        "upstream_id": one.upstream_id,
        "at": one.created_at,
        "cost": formatting.amount(one.cost, provider.currency),
        "charged": formatting.amount(one.charged, provider.currency),
        "difference": formatting.amount(one.difference, provider.currency),
    }


# ------------------------------------------------------------------------------------------------ accounts


@require_safe
@requires(*LEDGER_PERMISSIONS)
def trial_balance_page(request: HttpRequest) -> HttpResponseBase:
    found = balances.trial_balance(balances.day_from(request.GET))
    return page(
        request,
        "trial_balance",
        _("Trial balance"),
        found=found,
        lines=[_trial_line(line, found) for line in found.lines],
        debit=formatting.amount(found.debit),
        credit=formatting.amount(found.credit),
        difference=formatting.amount(found.credit - found.debit),
        time_zone=settings.TIME_ZONE,
        query=urlencode({"date": found.day.isoformat()}),
    )


@require_safe
@requires(*LEDGER_PERMISSIONS)
def trial_balance_file(request: HttpRequest, form: str) -> HttpResponseBase:
    """Return every account, each customer's included, so that the file can be added up to zero."""
    day = balances.day_from(request.GET)
    head = (_("Ledger account"), _("Type"), _("Customer"), _("Debit"), _("Credit"), _("Currency"))
    rows: Iterable[Sequence[tables.Cell]] = (
        [
            account.pk if account.user else account.code,
            str(account.get_kind_display()),
            str(account.user or ""),
            line.debit,
            line.credit,
            account.currency,
        ]
        for line in balances.every_balance(day)
        if (account := line.account)
    )
    return tables.download(tables.Table(f"trial-balance-{day.isoformat()}", _("Trial balance"), head, rows), form)


@require_safe
@requires(*LEDGER_PERMISSIONS)
def account_page(request: HttpRequest) -> HttpResponseBase:
    wanted, period = request.GET.get("account", ""), periods.parse(request.GET)
    account = balances.find_account(wanted)
    statement = balances.statement(account, period) if account else None
    return page(
        request,
        "account",
        _("Account balance"),
        wanted=_account_text(account) if account else wanted,
        account=account,
        statement=statement,
        opening=formatting.amount(statement.opening) if statement else "",
        closing=formatting.amount(statement.closing) if statement else "",
        movements=[_movement_cells(one) for one in statement.movements] if statement else [],
        presets=periods.PRESETS,
        period=period,
        time_zone=settings.TIME_ZONE,
        query=urlencode({"account": account.pk, "from": period.first.isoformat(), "to": period.last.isoformat()})
        if account
        else "",
    )


@require_safe
@requires(*LEDGER_PERMISSIONS)
def account_file(request: HttpRequest, form: str) -> HttpResponseBase:
    account = balances.find_account(request.GET.get("account", ""))
    if account is None:
        raise Http404
    period = periods.parse(request.GET)
    head = (
        _("Date"), _("Type"), _("Reference"), _("Order ID"), _("Other account"), _("In"), _("Out"), _("Balance"),
        _("Note"), _("Currency"),
    )  # fmt: skip
    name = f"account-{account.pk}-{period.first.isoformat()}-{period.last.isoformat()}"
    return tables.download(tables.Table(name, _account_text(account), head, _transfer_rows(account, period)), form)


def _transfer_rows(account: Account, period: periods.Period) -> Iterator[Sequence[tables.Cell]]:
    balance = balances.balance_at(account, period.first - periods.DAY)
    found = balances.transfers(account, period).select_related("source__user", "target__user")
    for row in found.iterator(chunk_size=2000):
        is_in = row.target_id == account.pk
        balance += row.amount if is_in else -row.amount
        other = row.source if is_in else row.target
        yield [
            row.created_at, str(row.get_kind_display()), row.reference, row.order_id, _account_text(other),
            row.amount if is_in else None, None if is_in else row.amount, balance, row.note, account.currency,
        ]  # fmt: skip


def _account_text(account: Account) -> str:
    return str(account.user or account.code)


def _trial_line(line: balances.Line, found: balances.TrialBalance) -> dict[str, Any]:
    account = line.account
    customers = ngettext("%s customer", "%s customers", found.customers) % formatting.count(found.customers)
    query = urlencode({"account": account.pk, "to": found.day.isoformat()}) if account else ""
    return {
        "label": account.code if account else _("Customer balances"),
        "note": account.get_kind_display() if account else customers,
        "url": f"{reverse('admin:accounting_account')}?{query}" if account else "",
        "debit": formatting.amount(line.debit) if line.debit else formatting.NONE,
        "credit": formatting.amount(line.credit) if line.credit else formatting.NONE,
    }


def _movement_cells(one: balances.Movement) -> dict[str, Any]:
    return {
        "label": dict(TransferKind.choices).get(one.kind, one.kind),
        "count": formatting.count(one.count),
        "incoming": formatting.amount(one.incoming) if one.incoming else formatting.NONE,
        "outgoing": formatting.amount(one.outgoing) if one.outgoing else formatting.NONE,
    }
