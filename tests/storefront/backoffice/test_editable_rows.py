"""Saving an editable list writes what the operator changed and keeps concurrent changes of others."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client

from orders.admin import base
from orders.models import PriceChange, Service
from storefront.currencies.models import Currency
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/service/"


def open_form(client: Client, address: str) -> dict[str, str]:
    """Return the form data that a browser would submit for the list or page as it is now."""
    text = client.get(address).content.decode()
    (form,) = re.findall(r'<form [^>]*id="(?:changelist-form|\w+_form)".*?</form>', text, re.DOTALL)
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        found = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        is_off = found.get("type") in ("checkbox", "radio") and " checked" not in tag
        if "name" in found and not is_off and found.get("type") != "submit" and found["name"] != "_selected_action":
            sent[found["name"]] = html.unescape(found.get("value", "on" if found.get("type") == "checkbox" else ""))
    for name, options in re.findall(r'<select [^>]*?name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)"[^>]* selected', options)
        if chosen:
            sent[name] = chosen[1]
    for name, value in re.findall(r'<textarea [^>]*?name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        sent[name] = html.unescape(value).strip()
    return sent


def row_of(sent: dict[str, str], pk: int) -> str:
    return next(
        name.removesuffix("-id")
        for name, value in sent.items()
        if re.fullmatch(r"form-\d+-id", name) and value == str(pk)
    )


def save(client: Client, address: str, sent: dict[str, str]) -> Any:
    return client.post(address, {**sent, "_save": "Save"}, follow=True)


def test_saving_the_list_keeps_concurrent_changes(admin_client: Client) -> None:
    edited, repriced = factories.service(rate="1"), factories.service(rate="2")
    sent = open_form(admin_client, LIST)
    Service.objects.filter(pk=repriced.pk).update(rate=Decimal(5), is_active=False)
    Service.objects.filter(pk=edited.pk).update(is_active=False)
    sent[f"{row_of(sent, edited.pk)}-rate"] = "1.5"
    assert b"1 service was changed successfully" in save(admin_client, LIST, sent).content
    edited.refresh_from_db()
    repriced.refresh_from_db()
    assert (edited.rate, edited.is_active) == (Decimal("1.5"), False)
    assert (repriced.rate, repriced.is_active) == (Decimal(5), False)
    assert list(PriceChange.objects.values_list("service", "old_rate")) == [(edited.pk, Decimal(1))]
    assert list(LogEntry.objects.values_list("object_id", flat=True)) == [str(edited.pk)]


def test_a_conflicting_change_is_not_overwritten(admin_client: Client) -> None:
    contested, other = factories.service(rate="1"), factories.service(rate="2")
    sent = open_form(admin_client, LIST)
    Service.objects.filter(pk=contested.pk).update(rate=Decimal(5))
    sent[f"{row_of(sent, contested.pk)}-rate"] = "1.5"
    sent[f"{row_of(sent, other.pk)}-rate"] = "2.5"
    answer = html.unescape(save(admin_client, LIST, sent).content.decode())
    assert "This value changed while the page was open. It is now 5.00." in answer
    contested.refresh_from_db()
    other.refresh_from_db()
    assert (contested.rate, other.rate) == (Decimal(5), Decimal(2))


def test_after_a_conflict_the_operator_can_save_again(admin_client: Client) -> None:
    contested = factories.service(rate="1")
    sent = open_form(admin_client, LIST)
    Service.objects.filter(pk=contested.pk).update(rate=Decimal(5))
    name = f"{row_of(sent, contested.pk)}-rate"
    save(admin_client, LIST, {**sent, name: "1.5"})
    sent = open_form(admin_client, LIST)
    save(admin_client, LIST, {**sent, name: "1.5"})
    contested.refresh_from_db()
    assert contested.rate == Decimal("1.5")


def test_saving_a_service_keeps_concurrent_changes(admin_client: Client) -> None:
    service = factories.service(rate="1", name="Before", description="One line\nand another")
    address = f"{LIST}{service.pk}/change/"
    sent = open_form(admin_client, address)
    Service.objects.filter(pk=service.pk).update(rate=Decimal(5), is_active=False)
    save(admin_client, address, {**sent, "name": "After"})
    service.refresh_from_db()
    assert (service.name, service.rate, service.is_active) == ("After", Decimal(5), False)
    answer = save(admin_client, address, {**sent, "name": "Later", "rate": "2"}).content.decode()
    assert "This value changed while the page was open" in answer
    service.refresh_from_db()
    assert (service.name, service.rate) == ("After", Decimal(5))
    lines = {name: value.replace("\n", "\r\n") for name, value in open_form(admin_client, address).items()}
    save(admin_client, address, {**lines, "description": "Other\r\nlines"})
    service.refresh_from_db()
    assert service.description == "Other\r\nlines"


def test_currency_lists_detect_conflicts(admin_client: Client) -> None:
    euro = Currency.objects.create(code="EUR", rate=Decimal("0.92"))
    pound = Currency.objects.create(code="GBP", rate=Decimal("0.8"))
    address = "/admin/currencies/currency/"
    sent = open_form(admin_client, address)
    Currency.objects.filter(pk=pound.pk).update(rate=Decimal("0.7"))
    save(admin_client, address, {**sent, f"{row_of(sent, euro.pk)}-rate": "0.95"})
    assert dict(Currency.objects.values_list("code", "rate")) == {"EUR": Decimal("0.95"), "GBP": Decimal("0.7")}


EDITABLE = [model for model, options in admin.site._registry.items() if options.list_editable]


def test_every_editable_list_is_tested() -> None:
    assert {model._meta.label for model in EDITABLE} == {
        "orders.Category", "orders.Service", "providers.Route", "currencies.Currency",
        "payments.PaymentMethod", "promotions.Affiliate", "promotions.Coupon", "promotions.PaymentBonus",
        "support.CannedReply", "support.TicketCategory",
    }  # fmt: skip


@pytest.mark.parametrize("label", sorted(model._meta.label for model in EDITABLE))
def test_every_editable_list_detects_conflicts(label: str, rf: Any, admin_user: Any) -> None:
    options: Any = admin.site._registry[apps.get_model(label)]
    request = rf.get("/")
    request.user = admin_user
    assert isinstance(options, base.EditableRowsMixin)
    assert issubclass(options.get_changelist_formset(request).form, base.ConcurrentForm)
    assert issubclass(options.get_form(request), base.ConcurrentForm)
