"""Mass orders: each line follows the rules of the order form and is placed only once."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from orders.ledger import transfers
from orders.models import Account, CustomerRate, Order, Service
from storefront.accounts.models import User
from storefront.shop import mass_order_parser
from tests import factories
from tests.storefront.shop.forms import text_of

ADDRESS = "/orders/mass/"


def form_values(text: str) -> dict[str, str]:
    """Return what the form on the page would send: its hidden inputs and its text."""
    form = text.partition('<form class="split mass"')[2].partition("</form>")[0]
    found = {}
    for tag in re.findall(r'<input type="hidden"[^>]*>', form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value and name[1] != "csrfmiddlewaretoken":
            found[name[1]] = unescape(value[1])
    area = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", form, re.DOTALL)
    return {**found, "text": unescape(area[1]) if area else ""}


def check(page: Client, text: str, **more: Any) -> str:
    fresh = form_values(text_of(page.get(ADDRESS)))
    return text_of(page.post(ADDRESS, {**fresh, "text": text, "check": "1", **more}))


def place(page: Client, checked: str, **changes: str) -> str:
    return text_of(page.post(ADDRESS, {**form_values(checked), "place": "1", **changes}))


def lines(service: Service, count: int, quantity: int = 100) -> str:
    return "\n".join(f"{service.pk} | https://example.com/{n} | {quantity}" for n in range(count))


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))


def test_checking_shows_every_line_with_its_price_and_charges_nothing(page: Client, nadia: User) -> None:
    service = factories.service(rate="0.90", name="Harp lessons")
    text = words(check(page, f"# mine\n\n{lines(service, 2, 1000)}\n{service.pk} | https://example.com/x | 99999"))
    assert text.count("Harp lessons") == 3
    assert "1 line with errors" in text
    assert "Quantity: The maximum quantity is 10,000." in text
    assert "2 lines ready to place" in text
    assert "$1.80" in text
    assert "Balance after these orders $98.20" in text
    assert "Place 2 orders" in text
    assert not Order.objects.exists()
    assert Account.objects.get(user=nadia).balance == 100


def test_valid_lines_are_placed_and_the_others_stay_in_the_text(page: Client, nadia: User) -> None:
    service = factories.service()
    wrong = f"{service.pk} | https://example.com/x | many"
    done = place(page, check(page, f"{lines(service, 2)}\n{wrong}"))
    assert "2 orders placed" in words(done)
    assert "1 line was not placed" in words(done)
    assert form_values(done)["text"] == f"{wrong}\n"
    assert sorted(Order.objects.values_list("link", "quantity", "source")) == [
        ("https://example.com/0", 100, "page"),
        ("https://example.com/1", 100, "page"),
    ]
    assert Account.objects.get(user=nadia).balance == Decimal("99.82")


def test_a_form_sent_twice_places_its_orders_once(page: Client, nadia: User) -> None:
    checked = check(page, lines(factories.service(), 3))
    first = place(page, checked)
    assert words(place(page, checked)) == words(first).replace(form_values(first)["form"], "")
    assert Order.objects.count() == 3
    assert Account.objects.get(user=nadia).balance == Decimal("99.73")


def test_after_going_back_only_changed_lines_are_placed(page: Client) -> None:
    service = factories.service()
    checked = check(page, lines(service, 3))
    place(page, checked)
    # Going back in the browser sends the form's old ID again, with one line changed and one moved.
    before = form_values(checked)
    rows = before["text"].splitlines()
    again = text_of(page.post(ADDRESS, {**before, "text": "\n".join([rows[2], rows[0], rows[1] + "0"]), "check": "1"}))
    assert "Place 1 order" in words(again)
    assert "Already placed; not ordered again" in words(again)
    place(page, again)
    assert sorted(Order.objects.values_list("quantity", flat=True)) == [100, 100, 100, 1000]


def test_a_line_changed_after_the_check_is_not_placed(page: Client) -> None:
    service = factories.service()
    checked = check(page, lines(service, 2))
    changed = form_values(checked)["text"].replace("/1 | 100", "/1 | 9000")
    done = place(page, checked, text=changed)
    assert "Not placed because the line is new since the last check." in words(done)
    assert list(Order.objects.values_list("link", flat=True)) == ["https://example.com/0"]


def test_two_identical_lines_are_two_orders_even_if_the_balance_ran_out_between(page: Client, nadia: User) -> None:
    service = factories.service(rate="600")  # 60.00 a line, and the balance is 100
    checked = check(page, f"{lines(service, 1)}\n{lines(service, 1)}")
    done = place(page, checked)
    assert Order.objects.count() == 1
    transfers.credit_payment(Account.objects.get(user=nadia), amount=Decimal(50), gateway="test", reference="more")
    again = text_of(page.post(ADDRESS, {**form_values(done), "check": "1"}))
    assert "Place 1 order" in words(again)
    place(page, again)
    place(page, again)
    assert Order.objects.count() == 2
    # Sending the first page again places nothing.
    place(page, checked)
    assert Order.objects.count() == 2


def test_a_line_with_a_changed_price_is_not_placed(page: Client) -> None:
    service, other = factories.service(), factories.service()
    checked = check(page, f"{lines(service, 1)}\n{lines(other, 1)}")
    Service.objects.filter(pk=service.pk).update(rate=Decimal("0.95"))
    done = place(page, checked)
    assert "Not placed because the price changed to $0.095." in words(done)
    assert [order.service for order in Order.objects.all()] == [other]


def test_customers_pay_their_own_price(page: Client, nadia: User) -> None:
    service = factories.service(rate="0.90")
    CustomerRate.objects.create(user=nadia, service=service, rate=Decimal("0.50"))
    checked = check(page, lines(service, 1, 1000))
    assert "$0.50" in words(checked)
    place(page, checked)
    assert Order.objects.get().charge == Decimal("0.50")


def test_lines_beyond_the_balance_are_announced_before_placing(page: Client, nadia: User) -> None:
    service = factories.service(rate="400")  # 40.00 a line
    checked = check(page, lines(service, 3))
    assert "Short by $20.00" in words(checked)
    assert "Your balance covers the first 2 orders ( $80.00 )." in words(checked)
    assert "Place the first 2 orders" in words(checked)
    done = place(page, checked)
    assert "2 orders placed" in words(done)
    assert "Not placed because your balance is too low." in words(done)
    assert form_values(done)["text"] == f"{lines(service, 3).splitlines()[2]}\n"
    assert Account.objects.get(user=nadia).balance == 20


def test_placing_stops_when_the_balance_is_too_low(page: Client, nadia: User) -> None:
    service = factories.service(rate="400")
    checked = check(page, lines(service, 2))
    transfers.adjust(Account.objects.get(user=nadia), amount=Decimal(-50), reference="spent elsewhere")
    done = words(place(page, checked))
    assert "1 order placed" in done
    assert "1 line was not placed" in done
    assert Order.objects.count() == 1


def test_other_types_are_ordered_through_named_columns(page: Client) -> None:
    comments = factories.service("custom_comments", rate="600")
    plain = factories.service()
    text = (
        "Service ID;Link;Qty;Comments;Color\n"
        f'{comments.pk};https://example.com/1;;"Nice!\nLovely; really"\n'
        f"{comments.pk};https://example.com/2;;one\\ntwo\\nthree\n"
        f"{plain.pk};https://example.com/3;500;\n"
    )
    checked = check(page, text)
    assert "Unknown columns: color" in words(checked)
    place(page, checked)
    found = Order.objects.order_by("link").values_list("link", "quantity", "fields")
    assert list(found) == [
        ("https://example.com/1", 2, {"comments": ["Nice!", "Lovely; really"]}),
        ("https://example.com/2", 3, {"comments": ["one", "two", "three"]}),
        ("https://example.com/3", 500, {}),
    ]


@pytest.mark.parametrize(
    "line",
    ["{} | https://e.com/?a=1;2,3 | 50", "{}\thttps://e.com/?a=1;2,3\t50", '{};"https://e.com/?a=1;2,3";50',
     '{},"https://e.com/?a=1;2,3",50', "  {}|https://e.com/?a=1;2,3|50  "],
)  # fmt: skip
def test_the_separator_after_the_service_id_splits_the_line(line: str) -> None:
    (found,) = mass_order_parser.parse(line.format(7)).lines
    assert found.inputs == {"service": "7", "link": "https://e.com/?a=1;2,3", "quantity": "50"}


def test_a_line_with_too_many_values_shows_an_error(page: Client) -> None:
    service = factories.service()
    checked = words(check(page, f"{service.pk},https://example.com/?a=1,2,50"))
    assert "This line has more than three values" in checked
    assert "Place" not in checked.partition("Checked lines")[2]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("x | https://example.com/ | 5", "Enter a service ID first"),
        ("999999 | https://example.com/ | 5", "No service on sale has the ID 999999."),
        ("{} | | 5", "Link: This field is required."),
        ("{} | https://example.com/", "Quantity: This field is required."),
        ("{} | https://example.com/ | 1.5", "Quantity: Enter a whole number"),
    ],
)
def test_each_line_shows_its_error(line: str, problem: str, page: Client) -> None:
    assert problem in words(check(page, line.format(factories.service().pk)))


def test_a_second_order_for_a_link_is_refused_at_the_check(page: Client, nadia: User) -> None:
    service = factories.service(is_one_per_link=True)
    factories.order(factories.customer(), service, link="https://example.com/1")
    checked = check(page, f"{lines(service, 2)}\n{service.pk} | http://example.com/0/ | 50")
    assert words(checked).count("There's already an open order for this link.") == 2
    place(page, checked)
    assert list(Order.objects.of(nadia).values_list("link", flat=True)) == ["https://example.com/0"]


TABLE = "service;link;comments\n{};https://example.com/1;Привет\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251"])
def test_files_are_read_in_the_encodings_of_spreadsheets(encoding: str, page: Client) -> None:
    service = factories.service("custom_comments")
    content = TABLE.format(service.pk).replace("\n", "\r\n").encode(encoding)
    place(page, check(page, "nothing", file=SimpleUploadedFile("orders.csv", content)))
    assert Order.objects.get().fields == {"comments": ["Привет"]}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"PK\x03\x04" + bytes(range(256)), "Save the table as CSV"),
        (b"1|a|5\n" * 200_000, "larger than 1 MB"),
        (b"1|a|5\n" * 1001, "You can place at most 1,000 orders at a time, but the text has 1,001."),
        (b"\n# nothing\n", "No orders found"),
        (b"service;link;quantity\n", "No orders found"),
    ],
)
def test_an_unusable_file_shows_the_reason(content: bytes, problem: str, page: Client) -> None:
    assert problem in words(check(page, "", file=SimpleUploadedFile("orders.csv", content)))


def test_an_unclosed_quotation_mark_affects_no_earlier_line(page: Client) -> None:
    service = factories.service()
    text = f'service;link;quantity\n{service.pk};https://example.com/1;50\n{service.pk};"https://example.com/2;50\n'
    done = place(page, check(page, text))
    assert Order.objects.count() == 1
    assert form_values(done)["text"] == f'service;link;quantity\n{service.pk};"https://example.com/2;50\n'


def test_a_form_id_is_valid_only_for_its_customer(page: Client) -> None:
    service = factories.service()
    checked = check(page, lines(service, 1))
    place(page, checked)
    other = Client()
    other.force_login(factories.customer())
    assert "1 order placed" in words(text_of(other.post(ADDRESS, {**form_values(checked), "place": "1"})))
    assert Order.objects.count() == 2


@pytest.mark.parametrize("count", [10, 1000])
def test_checking_takes_the_same_queries_for_any_number_of_lines(
    count: int, page: Client, django_assert_num_queries
) -> None:
    services = [factories.service(is_one_per_link=n == 0) for n in range(10)]
    text = "\n".join(lines(service, count // 10) for service in services)
    with django_assert_num_queries(8):  # session, customer, balance, services, pricing (2), placed before, links
        response = page.post(ADDRESS, {"text": text, "check": "1"})
    assert f"{count:,} lines ready to place" in words(text_of(response))


def test_placing_takes_the_same_queries_for_each_order(page: Client, django_assert_max_num_queries) -> None:
    service = factories.service()

    def queries(count: int) -> int:
        checked = check(page, lines(service, count))
        with django_assert_max_num_queries(1000) as counted:
            assert f"{count} orders placed" in words(place(page, checked))
        return len(counted)

    few, many = queries(2), queries(12)
    assert (many - few) % 10 == 0
    assert (many - few) // 10 <= 7


def test_a_thousand_lines_are_placed_in_one_go(page: Client) -> None:
    done = place(page, check(page, lines(factories.service(rate="0.01"), 1000)))
    assert "1,000 orders placed" in words(done)
    assert Order.objects.count() == 1000


def test_a_visitor_is_asked_to_sign_in(client: Client) -> None:
    assert client.get(ADDRESS).headers["Location"].startswith("/account/login/")
    assert client.post(ADDRESS, {"text": "1|a|5", "place": "1"}).status_code == 302
