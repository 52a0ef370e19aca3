"""Views of the books in the back office: each page, and the same table as CSV and as an Excel workbook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from orders.admin import formatting
from orders.rules import amounts
from storefront.accounting import charts, periods, profit, tables

View = Callable[..., HttpResponseBase]
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
