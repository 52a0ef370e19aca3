"""Buying from the page: what is asked for, what is shown, what is taken."""

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
from tests.storefront.shop.forms import ADDRESS, filled, inputs_on, send, text_of


def balance(user: User) -> Decimal:
    return Account.objects.get(user=user).balance


@pytest.mark.parametrize("kind", service_types.SERVICE_TYPES.values(), ids=lambda kind: kind.code)
def test_every_service_type_shows_its_inputs_and_buys(
    kind: service_types.ServiceType, page: Client, nadia: User
) -> None:
    service = factories.service(kind=kind.code, is_flat=kind.is_flat)
    data = filled(page, service)
    asked = {spec.name for spec in kind.inputs} | ({"link"} if kind.has_link else set()) | {"start_at"}
    asked |= {"quantity"} if kind.count is service_types.Count.GIVEN else set()
    assert asked == set(data) - {"csrfmiddlewaretoken", "service", "request_id", "shown_price", "check"}
    response = send(page, data)
    order = Order.objects.get()
    assert response.status_code == 302
    assert response.headers["Location"] == f"/orders/{order.pk}/"
    assert balance(nadia) == 100 - order.charge
    assert order.source == "page"


def test_a_double_click_buys_once(page: Client, nadia: User) -> None:
    data = filled(page, factories.service())
    first, second = send(page, data), send(page, data)
    assert Order.objects.count() == 1
    assert first.headers["Location"] == second.headers["Location"]
    assert balance(nadia) == Decimal("99.91")


def test_a_used_form_does_not_swallow_another_order(page: Client, nadia: User) -> None:
    data = filled(page, factories.service())
    send(page, data)
    response = send(page, {**data, "quantity": "200"})
    assert Order.objects.count() == 1
    assert "This form already placed order" in text_of(response)
    send(page, inputs_on(response))
    assert sorted(Order.objects.values_list("quantity", flat=True)) == [100, 200]


def test_each_visit_gets_a_form_of_its_own(page: Client) -> None:
    service = factories.service()
    assert filled(page, service)["request_id"] != filled(page, service)["request_id"]
    assert "no-store" in page.get(ADDRESS, {"service": service.pk}).headers["Cache-Control"]


def test_a_changed_price_is_shown_before_it_is_taken(page: Client, nadia: User) -> None:
    service = factories.service(rate="0.90")
    data = filled(page, service)
    service.rate = Decimal("1.80")
    service.save()
    response = send(page, data)
    assert "The price has changed" in text_of(response)
    assert "$0.18" in text_of(response)
    assert balance(nadia) == 100
    send(page, inputs_on(response))
    assert balance(nadia) == Decimal("99.82")


def test_a_price_that_became_flat_has_changed_too(page: Client, nadia: User) -> None:
    service = factories.service(rate="0.90")
    data = filled(page, service)
    service.is_flat = True
    service.save()
    assert "The price has changed" in text_of(send(page, data))
    assert balance(nadia) == 100


def test_errors_stand_beside_their_fields_and_nothing_is_charged(page: Client, nadia: User) -> None:
    response = send(page, filled(page, factories.service(min_quantity=100), link="not a link", quantity="60"))
    text = text_of(response)
    assert "2 fields need your attention" in text
    assert "Nothing was charged" in text
    assert 'href="#id_link"' in text
    assert "The minimum quantity is 100." in text
    assert text.count('aria-invalid="true"') == 2
    assert inputs_on(response)["quantity"] == "60"
    assert balance(nadia) == 100


def test_an_empty_wallet_says_how_much_is_missing(client: Client) -> None:
    poor = factories.customer("0.05")
    client.force_login(poor)
    text = text_of(send(client, filled(client, factories.service(), quantity="100")))
    assert "Your balance is $0.05, and this order costs $0.09" in text.replace("<bdi>", "").replace("</bdi>", "")
    assert "$0.04" in text
    assert "/wallet/add-funds/?amount=0.04&next=" in text
    assert not Order.objects.exists()


def test_staff_without_a_wallet_are_told_the_same(client: Client) -> None:
    client.force_login(factories.user(is_staff=True))
    assert "Nothing was charged" in text_of(send(client, filled(client, factories.service())))


def test_the_price_follows_what_is_typed(page: Client, nadia: User, django_assert_max_num_queries) -> None:
    service = factories.service(rate="0.90", min_quantity=50)
    with django_assert_max_num_queries(5):
        text = text_of(page.post("/orders/price/", {"service": service.pk, "quantity": "5000", "link": ""}))
    assert "$4.50" in text
    assert "$95.50" in text
    assert "You pay" in text
    text = text_of(page.post("/orders/price/", {"service": service.pk, "quantity": "7"}))
    assert "Minimum order" in text
    assert "$0.045" in text


def test_lines_are_counted_as_they_are_typed(page: Client) -> None:
    service = factories.service(kind="custom_comments", rate="10")
    text = text_of(page.post("/orders/price/", {"service": service.pk, "comments": "a\n\nb\nc"}))
    assert "3 lines" in text
    assert "$0.03" in text


def test_without_scripts_a_button_asks_for_the_price(page: Client) -> None:
    service = factories.service(rate="0.90")
    response = send(page, {**filled(page, service, quantity="1000"), "check": "1"})
    assert "$0.90" in text_of(response)
    assert not Order.objects.exists()


def test_a_visitor_is_sent_to_sign_in_and_comes_back(client: Client) -> None:
    service = factories.service()
    response = client.get(ADDRESS, {"service": service.pk})
    assert response.headers["Location"] == f"/account/login/?next=/orders/new/%3Fservice%3D{service.pk}"
    assert client.post("/orders/price/", {"service": service.pk}).status_code == 204


def test_a_form_without_its_token_is_refused(nadia: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(nadia)
    response = client.post(ADDRESS, {"service": factories.service().pk, "link": "x", "quantity": "1"})
    assert response.status_code == 403
    assert "This form has expired" in text_of(response)
    assert not Order.objects.exists()


def test_an_earlier_order_is_ordered_again(page: Client, nadia: User) -> None:
    service = factories.service(kind="custom_comments")
    earlier = factories.order(nadia, service, comments="one\ntwo <b>")
    response = page.get(ADDRESS, {"again": earlier.pk})
    assert inputs_on(response)["link"] == earlier.link
    assert "one\ntwo &lt;b&gt;</textarea>" in response.content.decode()


def test_only_ones_own_order_is_ordered_again(page: Client) -> None:
    foreign = factories.order(link="https://example.com/secret")
    assert page.get(ADDRESS, {"again": foreign.pk}).status_code == 404


def test_a_service_off_sale_leads_to_the_picker(page: Client, nadia: User) -> None:
    service = factories.service()
    data = filled(page, service)
    service.is_active = False
    service.save()
    assert "no longer on sale" in text_of(send(page, data))
    assert balance(nadia) == 100


def test_the_picker_finds_services_and_remembers_what_was_bought(page: Client, nadia: User) -> None:
    factories.order(nadia, factories.service(name="Bought before"))
    factories.service(name="Never bought")
    assert "Bought before" in text_of(page.get(ADDRESS))
    assert "Never bought" not in text_of(page.get(ADDRESS))
    assert "Never bought" in text_of(page.get(ADDRESS, {"q": "never"}))
    assert "No results for" in text_of(page.get(ADDRESS, {"q": "zzz"}))


def test_what_is_typed_in_the_address_fills_the_form(page: Client) -> None:
    service = factories.service()
    shown = inputs_on(page.get(ADDRESS, {"service": service.pk, "link": "https://example.com/9", "quantity": "70"}))
    assert (shown["link"], shown["quantity"]) == ("https://example.com/9", "70")


def test_the_books_agree_after_buying_from_the_page(page: Client) -> None:
    send(page, filled(page, factories.service()))
    assert list(audit.findings()) == []


@pytest.mark.parametrize("kind", ["custom_comments", "mentions_user_followers"])
def test_a_nul_character_is_no_server_error(kind: str, page: Client) -> None:
    service = factories.service(kind=kind)
    send(page, filled(page, service, comments="a\x00b\nc", username="na\x00dia"))
    assert "\x00" not in str(Order.objects.get().fields)


def test_a_second_order_for_a_link_says_so_where_a_service_takes_one(page: Client, nadia: User) -> None:
    service = factories.service(is_one_per_link=True)
    send(page, filled(page, service, quantity="100"))
    response = send(page, filled(page, service, quantity="200"))
    assert response.status_code == 200
    assert "There's already an open order for this link" in text_of(response)
    assert balance(nadia) == Decimal("99.91")


def test_a_link_is_judged_while_it_is_typed(page: Client) -> None:
    service = factories.service(link_pattern=r"https://t\.me/\w+", link_example="https://t.me/vitrine")

    def typed(link: str) -> str:
        return text_of(page.post("/orders/price/", {"service": service.pk, "link": link}))

    said = "This service needs a different kind of link, such as https://t.me/vitrine"
    assert said in typed("https://example.com/p/1")
    assert "This link isn't valid." in typed("two words")
    for fine in ("https://t.me/nadia", ""):
        assert re.search(r'id="link-e"[^>]* hidden>', typed(fine))
