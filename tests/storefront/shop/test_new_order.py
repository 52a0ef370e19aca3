"""The order form: its inputs, its prices and errors, and what it charges."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.test import Client

from orders.ledger import audit
from orders.models import Account, Order
from orders.rules import service_types
from storefront.accounts.models import User
from tests import factories
from tests.storefront.shop.forms import ADDRESS, form_data, inputs_on, send, text_of


def balance(user: User) -> Decimal:
    return Account.objects.get(user=user).balance


@pytest.mark.parametrize(
    "service_type", service_types.SERVICE_TYPES.values(), ids=lambda service_type: service_type.code
)
def test_every_service_type_shows_its_inputs_and_can_be_ordered(
    service_type: service_types.ServiceType, page: Client, nadia: User
) -> None:
    service = factories.service(service_type=service_type.code, is_flat=service_type.is_flat)
    data = form_data(page, service)
    expected = (
        {spec.name for spec in service_type.inputs} | ({"link"} if service_type.has_link else set()) | {"start_at"}
    )
    expected |= {"quantity"} if service_type.count is service_types.Count.GIVEN else set()
    assert expected == set(data) - {"csrfmiddlewaretoken", "service", "request_id", "shown_price", "check"}
    response = send(page, data)
    order = Order.objects.get()
    assert response.status_code == 302
    assert response.headers["Location"] == f"/orders/{order.pk}/"
    assert balance(nadia) == 100 - order.charge
    assert order.source == "page"


def test_a_double_click_places_one_order(page: Client, nadia: User) -> None:
    data = form_data(page, factories.service())
    first, second = send(page, data), send(page, data)
    assert Order.objects.count() == 1
    assert first.headers["Location"] == second.headers["Location"]
    assert balance(nadia) == Decimal("99.91")


def test_a_used_form_with_changes_asks_for_confirmation(page: Client, nadia: User) -> None:
    data = form_data(page, factories.service())
    send(page, data)
    response = send(page, {**data, "quantity": "200"})
    assert Order.objects.count() == 1
    assert "This form already placed order" in text_of(response)
    send(page, inputs_on(response))
    assert sorted(Order.objects.values_list("quantity", flat=True)) == [100, 200]


def test_each_visit_gets_a_new_request_id(page: Client) -> None:
    service = factories.service()
    assert form_data(page, service)["request_id"] != form_data(page, service)["request_id"]
    assert "no-store" in page.get(ADDRESS, {"service": service.pk}).headers["Cache-Control"]


def test_a_changed_price_is_shown_before_it_is_charged(page: Client, nadia: User) -> None:
    service = factories.service(rate="0.90")
    data = form_data(page, service)
    service.rate = Decimal("1.80")
    service.save()
    response = send(page, data)
    assert "The price has changed" in text_of(response)
    assert "$0.18" in text_of(response)
    assert balance(nadia) == 100
    send(page, inputs_on(response))
    assert balance(nadia) == Decimal("99.82")


def test_a_price_that_became_flat_counts_as_changed(page: Client, nadia: User) -> None:
    service = factories.service(rate="0.90")
    data = form_data(page, service)
    service.is_flat = True
    service.save()
    assert "The price has changed" in text_of(send(page, data))
    assert balance(nadia) == 100


def test_errors_are_shown_at_their_fields_and_nothing_is_charged(page: Client, nadia: User) -> None:
    response = send(page, form_data(page, factories.service(min_quantity=100), link="not a link", quantity="60"))
    text = text_of(response)
    assert "2 fields need your attention" in text
    assert "Nothing was charged" in text
    assert 'href="#id_link"' in text
    assert "The minimum quantity is 100." in text
    assert text.count('aria-invalid="true"') == 2
    assert inputs_on(response)["quantity"] == "60"
    assert balance(nadia) == 100


def test_a_low_balance_shows_the_missing_amount(client: Client) -> None:
    customer = factories.customer("0.05")
    client.force_login(customer)
    text = text_of(send(client, form_data(client, factories.service(), quantity="100")))
    assert "Your balance is $0.05, and this order costs $0.09" in text.replace("<bdi>", "").replace("</bdi>", "")
    assert "$0.04" in text
    assert "/wallet/add-funds/?amount=0.04&next=" in text
    assert not Order.objects.exists()


def test_staff_without_a_wallet_are_not_charged(client: Client) -> None:
    client.force_login(factories.user(is_staff=True))
    assert "Nothing was charged" in text_of(send(client, form_data(client, factories.service())))


def test_the_live_price_follows_the_inputs(page: Client, nadia: User, django_assert_max_num_queries) -> None:
    service = factories.service(rate="0.90", min_quantity=50)
    with django_assert_max_num_queries(5):
        text = text_of(page.post("/orders/price/", {"service": service.pk, "quantity": "5000", "link": ""}))
    assert "$4.50" in text
    assert "$95.50" in text
    assert "You pay" in text
    text = text_of(page.post("/orders/price/", {"service": service.pk, "quantity": "7"}))
    assert "Minimum order" in text
    assert "$0.045" in text


def test_the_live_price_counts_lines(page: Client) -> None:
    service = factories.service(service_type="custom_comments", rate="10")
    text = text_of(page.post("/orders/price/", {"service": service.pk, "comments": "a\n\nb\nc"}))
    assert "3 lines" in text
    assert "$0.03" in text


def test_without_javascript_a_button_shows_the_price(page: Client) -> None:
    service = factories.service(rate="0.90")
    response = send(page, {**form_data(page, service, quantity="1000"), "check": "1"})
    assert "$0.90" in text_of(response)
    assert not Order.objects.exists()


def test_a_visitor_signs_in_and_returns(client: Client) -> None:
    service = factories.service()
    response = client.get(ADDRESS, {"service": service.pk})
    assert response.headers["Location"] == f"/account/login/?next=/orders/new/%3Fservice%3D{service.pk}"
    assert client.post("/orders/price/", {"service": service.pk}).status_code == 204


def test_a_form_without_a_csrf_token_is_refused(nadia: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(nadia)
    response = client.post(ADDRESS, {"service": factories.service().pk, "link": "x", "quantity": "1"})
    assert response.status_code == 403
    assert "This form has expired" in text_of(response)
    assert not Order.objects.exists()


def test_ordering_again_fills_in_the_form(page: Client, nadia: User) -> None:
    service = factories.service(service_type="custom_comments")
    earlier = factories.order(nadia, service, comments="one\ntwo <b>")
    response = page.get(ADDRESS, {"again": earlier.pk})
    assert inputs_on(response)["link"] == earlier.link
    assert "one\ntwo &lt;b&gt;</textarea>" in response.content.decode()


def test_only_own_orders_can_be_ordered_again(page: Client) -> None:
    foreign = factories.order(link="https://example.com/secret")
    assert page.get(ADDRESS, {"again": foreign.pk}).status_code == 404


def test_a_service_off_sale_cannot_be_ordered(page: Client, nadia: User) -> None:
    service = factories.service()
    data = form_data(page, service)
    service.is_active = False
    service.save()
    assert "no longer on sale" in text_of(send(page, data))
    assert balance(nadia) == 100


def test_the_service_picker_shows_ordered_services_and_searches(page: Client, nadia: User) -> None:
    factories.order(nadia, factories.service(name="Bought before"))
    factories.service(name="Never bought")
    assert "Bought before" in text_of(page.get(ADDRESS))
    assert "Never bought" not in text_of(page.get(ADDRESS))
    assert "Never bought" in text_of(page.get(ADDRESS, {"q": "never"}))
    assert "No results for" in text_of(page.get(ADDRESS, {"q": "zzz"}))


def test_query_parameters_fill_in_the_form(page: Client) -> None:
    service = factories.service()
    shown = inputs_on(page.get(ADDRESS, {"service": service.pk, "link": "https://example.com/9", "quantity": "70"}))
    assert (shown["link"], shown["quantity"]) == ("https://example.com/9", "70")


def test_the_ledger_is_consistent_after_an_order(page: Client) -> None:
    send(page, form_data(page, factories.service()))
    assert list(audit.findings()) == []


@pytest.mark.parametrize("service_type", ["custom_comments", "mentions_user_followers"])
def test_null_characters_are_removed(service_type: str, page: Client) -> None:
    service = factories.service(service_type=service_type)
    send(page, form_data(page, service, comments="a\x00b\nc", username="na\x00dia"))
    assert "\x00" not in str(Order.objects.get().fields)


def test_a_second_order_for_a_link_is_refused_if_the_service_allows_one(page: Client, nadia: User) -> None:
    service = factories.service(is_one_per_link=True)
    send(page, form_data(page, service, quantity="100"))
    response = send(page, form_data(page, service, quantity="200"))
    assert response.status_code == 200
    assert "There's already an open order for this link" in text_of(response)
    assert balance(nadia) == Decimal("99.91")


def test_the_link_is_validated_while_typing(page: Client) -> None:
    service = factories.service(link_pattern=r"https://t\.me/\w+", link_example="https://t.me/vitrine")

    def live_response(link: str) -> str:
        return text_of(page.post("/orders/price/", {"service": service.pk, "link": link}))

    error = "This service needs a different kind of link, such as https://t.me/vitrine"
    assert error in live_response("https://example.com/p/1")
    assert "This link isn't valid." in live_response("two words")
    for valid_link in ("https://t.me/nadia", ""):
        assert re.search(r'id="link-e"[^>]* hidden>', live_response(valid_link))
