"""Ledger and catalog in the back office: the ledger is read-only, and lists make a constant number of queries."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from orders.admin import formatting
from orders.errors import LinkInUse
from orders.models import Account, Category, OrderEvent, Service, Transfer
from storefront.accounts.models import User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.com", "x"))
    return client


def queries(client: Client, url: str) -> int:
    client.get(url)  # fills what is filled once: content types, templates
    with CaptureQueriesContext(connection) as caught:
        assert client.get(url).status_code == 200
    return len(caught)


@pytest.mark.parametrize("table", ["transfer", "account"])
def test_superusers_cannot_write_the_ledger(superuser: Client, table: str) -> None:
    factories.order()
    row: Any = {"transfer": Transfer, "account": Account}[table].objects.latest("id")
    base = f"/admin/orders/{table}/"
    before = list(Transfer.objects.values()), list(Account.objects.values())
    assert superuser.get(f"{base}{row.pk}/change/").status_code == 200
    assert superuser.get(f"{base}add/").status_code == 403
    assert superuser.post(f"{base}add/", {"amount": "5"}).status_code == 403
    assert superuser.post(f"{base}{row.pk}/change/", {"amount": "5", "balance": "5"}).status_code == 403
    assert superuser.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    superuser.post(base, {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"})
    assert (list(Transfer.objects.values()), list(Account.objects.values())) == before


@pytest.mark.parametrize("path", ["orders/transfer/", "orders/account/", "orders/category/"])
def test_a_list_makes_the_same_queries_for_few_and_for_many_rows(superuser: Client, path: str) -> None:
    for _ in range(3):
        factories.order()
    few = queries(superuser, f"/admin/{path}")
    for _ in range(25):
        factories.order()
    assert queries(superuser, f"/admin/{path}") == few


def test_transfers_are_found_by_order_reference_and_email(superuser: Client) -> None:
    order, other = factories.order(), factories.order()
    for text in (str(order.pk), f"charge:{order.pk}"):
        page = superuser.get("/admin/orders/transfer/", {"q": text}).content.decode()
        assert f"charge:{order.pk}<" in page
        assert f"charge:{other.pk}<" not in page
    page = superuser.get("/admin/orders/transfer/", {"q": order.user.email}).content.decode()
    assert order.user.email in page
    assert other.user.email not in page


def test_a_category_with_services_is_not_deleted(superuser: Client) -> None:
    full, empty = factories.service().category, factories.category()
    assert superuser.post(f"/admin/orders/category/{full.pk}/delete/", {"post": "yes"}).status_code == 403
    assert superuser.post(f"/admin/orders/category/{empty.pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(Category.objects.all()) == [full]


def test_a_service_with_orders_is_not_deleted(superuser: Client) -> None:
    bought, unused = factories.order().service, factories.service()
    assert superuser.post(f"/admin/orders/service/{bought.pk}/delete/", {"post": "yes"}).status_code == 403
    assert superuser.post(f"/admin/orders/service/{unused.pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(Service.objects.all()) == [bought]


def test_services_are_put_on_and_taken_off_sale_with_history(superuser: Client) -> None:
    service = factories.service()
    for action, is_active in (("take_off_sale", False), ("put_on_sale", True)):
        superuser.post("/admin/orders/service/", {"action": action, "_selected_action": service.pk})
        service.refresh_from_db()
        assert service.is_active is is_active
    history = superuser.get(f"/admin/orders/service/{service.pk}/history/").content.decode()
    assert "Taken off sale." in history
    assert "Put on sale." in history


def test_prices_edited_in_the_list_are_not_rounded(superuser: Client) -> None:
    service = factories.service(rate="0.12345678")
    page = superuser.get("/admin/orders/service/").content.decode()
    assert 'value="0.12345678"' in page
    form = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": service.pk, "form-0-is_active": "on"}
    superuser.post("/admin/orders/service/", {**form, "form-0-rate": "0.45", "_save": "Save"})
    service.refresh_from_db()
    assert str(service.rate) == "0.45000000"
    assert 'value="0.45"' in superuser.get("/admin/orders/service/").content.decode()


def test_an_event_is_described_with_labels_and_unknown_data_is_kept() -> None:
    data = {"oddity": "failed_upstream", "provider": 3, "panel_status": "Fail", "why": "note 7", "color": "red"}
    event = OrderEvent(kind="oddity", data=data)
    description = formatting.describe_event(
        event, {3: "north"}, describe_note=lambda text: text.replace("note 7", "Not ours")
    )
    assert description == (
        "The provider failed the order but doesn't say whether it refunded us · Provider: north · "
        "Provider status: “Fail” · Reason: Not ours · color: red"
    )


def test_the_service_form_turns_on_one_order_per_link(superuser: Client) -> None:
    order = factories.order()
    service = order.service
    data = {
        "name": service.name, "category": service.category_id, "service_type": service.service_type,
        "is_active": "on", "rate": "0.90",
        "min_quantity": "1", "max_quantity": "10000", "position": "0", "refill_days": "7", "is_one_per_link": "on",
        "routes-TOTAL_FORMS": "0", "routes-INITIAL_FORMS": "0", "texts-TOTAL_FORMS": "0", "texts-INITIAL_FORMS": "0",
    }  # fmt: skip
    response = superuser.post(f"/admin/orders/service/{service.pk}/change/", data)
    assert response.status_code == 302, response.context["errors"]
    order.service.refresh_from_db()
    assert (order.service.is_one_per_link, order.service.refill_days) == (True, 7)
    with pytest.raises(LinkInUse):
        factories.order(of=order.service, link=order.link)


@pytest.mark.parametrize(
    ("language", "text", "signed"),
    [
        ("en", "33.3%", "+33.3%"),
        ("ru", "33,3\xa0%", "+33,3\xa0%"),
        ("tr", "%33,3", "+%33,3"),
        ("ar", "33.3%", "+33.3%"),
    ],
)
def test_percentages_are_formatted_for_the_readers_language(language: str, text: str, signed: str) -> None:
    share = Decimal(1) / 3
    with translation.override(language):
        assert formatting.percent(share) == text
        assert formatting.percent(share, is_signed=True) == signed


def test_negative_percentages_keep_one_decimal() -> None:
    assert formatting.percent(Decimal("-0.25")) == formatting.percent(-0.25, is_signed=True) == "-25.0%"
