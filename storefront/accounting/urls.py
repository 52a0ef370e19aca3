"""Addresses of the books within the back office, and its navigation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import path, register_converter
from django.urls.converters import StringConverter
from django.utils.translation import gettext_lazy as _

from storefront.accounting import receipt_views, views


class FileFormat(StringConverter):
    regex = "csv|xlsx"


register_converter(FileFormat, "file_format")


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """A page in the navigation of the back office, for staff with all of ``permissions``."""

    label: Any
    url_name: str
    permissions: tuple[str, ...]


NAVIGATION = (
    NavigationEntry(_("Profit"), "accounting_profit", views.SALES_PERMISSIONS),
    NavigationEntry(_("Trial balance"), "accounting_trial_balance", views.LEDGER_PERMISSIONS),
    NavigationEntry(_("Account balance"), "accounting_account", views.LEDGER_PERMISSIONS),
    NavigationEntry(_("Provider statement"), "accounting_statement", views.STATEMENT_PERMISSIONS),
)


def back_office_urls(site: Any) -> list[Any]:
    """Return the addresses of the pages, for the admin site ``site``."""

    def at(address: str, name: str, view: Any) -> Any:
        return path(f"reports/{address}", site.admin_view(view), name=f"accounting_{name}")

    return [
        at("profit/", "profit", views.profit_page),
        at("profit.<file_format:form>", "profit_file", views.profit_file),
        at("trial-balance/", "trial_balance", views.trial_balance_page),
        at("trial-balance.<file_format:form>", "trial_balance_file", views.trial_balance_file),
        at("account/", "account", views.account_page),
        at("account.<file_format:form>", "account_file", views.account_file),
        at("receipts/<slug:reference>.pdf", "receipt_file", receipt_views.receipt_file),
        at("provider-statement/", "statement", views.statement_page),
        at("provider-statement.<file_format:form>", "statement_file", views.statement_file),
    ]
