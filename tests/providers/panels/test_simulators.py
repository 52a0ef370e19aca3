"""The simulators answer every example of the panels' documents, and report requests that no document allows."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from providers.panels.simulators import SIMULATORS, Panel, PanelService, start

LINK = "https://photos.example/someone"
MAIL = "someone@shop.example"


@pytest.fixture(params=sorted(SIMULATORS))
def any_panel(request: pytest.FixtureRequest) -> Iterator[Panel]:
    with start(request.param) as panel:
        yield panel


@pytest.fixture
def v2() -> Iterator[Panel]:
    with start("v2") as panel:
        yield panel


@pytest.fixture
def smpanelim() -> Iterator[Panel]:
    with start("smpanelim") as panel:
        yield panel


@pytest.fixture
def tmsmm() -> Iterator[Panel]:
    with start("tmsmm") as panel:
        yield panel


@pytest.fixture
def tzsmmpay() -> Iterator[Panel]:
    with start("tzsmmpay") as panel:
        yield panel


@pytest.fixture
def toplistbot() -> Iterator[Panel]:
    with start("toplistbot") as panel:
        yield panel


def ask(panel: Panel, action: str, **fields: Any) -> requests.Response:
    """Send a request in the first manner the panel documents."""
    method, encoding = next(iter(panel.encodings.items()))
    params = {"key": panel.key, "action": action, **fields}
    where = {"form": "data", "query": "params", "json": "json"}[encoding]
    return requests.request(method, panel.url, timeout=5, allow_redirects=False, **{where: params})


def buy(panel: Panel, **fields: Any) -> str:
    """Place the smallest order of the panel's first service; return the order's id."""
    service = next(iter(panel.services.values()))
    amount = {"quantity": service.min, **fields} if service.type == "Default" else {}
    answer = ask(panel, "add", service=service.id, link=MAIL, **amount).json()
    return str(answer.get("order", answer.get("order_id")))


def shape(value: Any) -> Any:
    """Return the value with its scalars replaced by their JSON types."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


STATUS = {"charge": "0.27819", "start_count": "3572", "status": "Partial", "remains": "157", "currency": "USD"}
FAMILY = ("v2", "smpanelim")


# ------------------------------------------------------------------------------------------ the standard family


@pytest.mark.parametrize("dialect", FAMILY)
def test_the_family_services_example_lists_numbers_as_text(dialect: str) -> None:
    example = {
        "service": 1,
        "name": "Followers",
        "type": "Default",
        "category": "First Category",
        "rate": "0.90",
        "min": "50",
        "max": "10000",
        "refill": True,
    } | ({"cancel": True} if dialect == "v2" else {})
    with start(dialect) as panel:
        rows = ask(panel, "services").json()
        assert all(shape(row) == shape(example) for row in rows)
        assert panel.violations == []


@pytest.mark.parametrize("dialect", FAMILY)
def test_the_family_add_example_gives_an_integer_order_id(dialect: str) -> None:
    with start(dialect) as panel:
        assert ask(panel, "add", service=1, link=LINK, quantity=50).json() == {"order": 23501}
        assert panel.orders["23501"].params["link"] == LINK
        assert panel.violations == []


@pytest.mark.parametrize("dialect", FAMILY)
def test_the_family_status_example_gives_texts(dialect: str) -> None:
    with start(dialect, currency="USD") as panel:
        order = buy(panel, quantity=500)
        panel.report(order, "Partial", remains=157, start_count=3572)
        answer = ask(panel, "status", order=order).json()
        assert shape(answer) == shape(STATUS)
        assert {**answer, "charge": "0.27819"} == STATUS
        assert panel.violations == []


@pytest.mark.parametrize("dialect", FAMILY)
def test_the_family_status_of_many_keys_rows_by_the_ids_asked_with_an_error_object_for_a_strange_one(
    dialect: str,
) -> None:
    with start(dialect) as panel:
        first, second = buy(panel), buy(panel)
        panel.report(first, "Partial", remains=10)
        panel.report(second, "In progress", remains=10)
        answer = ask(panel, "status", orders=f"{first},10,{second}").json()
        assert list(answer) == [first, "10", second]
        assert shape(answer[first]) == shape(answer[second]) == shape(STATUS)
        assert [answer[first]["status"], answer[second]["status"]] == ["Partial", "In progress"]
        assert answer["10"] == {"error": "Incorrect order ID"}
        assert panel.violations == []


@pytest.mark.parametrize("dialect", FAMILY)
def test_the_family_refill_example_gives_a_text_and_its_status_a_word(dialect: str) -> None:
    with start(dialect) as panel:
        order = buy(panel)
        panel.report(order, "Completed")
        assert ask(panel, "refill", order=order).json() == {"refill": "1"}
        panel.report_refill("1", "Completed")
        assert ask(panel, "refill_status", refill="1").json() == {"status": "Completed"}
        assert panel.violations == []


@pytest.mark.parametrize("dialect", FAMILY)
def test_the_family_balance_example_gives_a_text(dialect: str) -> None:
    with start(dialect, balance="100.84292", currency="USD") as panel:
        assert ask(panel, "balance").json() == {"balance": "100.84292", "currency": "USD"}
        assert panel.violations == []


def test_the_v2_refill_of_many_example_gives_integers_and_errors_in_rows(v2: Panel) -> None:
    orders = [buy(v2), buy(v2)]
    for order in orders:
        v2.report(order, "Completed")
    assert ask(v2, "refill", orders=",".join([*orders, "3"])).json() == [
        {"order": int(orders[0]), "refill": 1},
        {"order": int(orders[1]), "refill": 2},
        {"order": 3, "refill": {"error": "Incorrect order ID"}},
    ]
    v2.report_refill("1", "Completed")
    v2.report_refill("2", "Rejected")
    assert ask(v2, "refill_status", refills="1,2,3").json() == [
        {"refill": 1, "status": "Completed"},
        {"refill": 2, "status": "Rejected"},
        {"refill": 3, "status": {"error": "Refill not found"}},
    ]
    assert v2.violations == []


def test_the_v2_cancel_example_gives_one_row_for_each_id_and_moves_no_money_yet(v2: Panel) -> None:
    order = buy(v2)
    paid = v2.balance
    assert ask(v2, "cancel", orders=f"9,{order}").json() == [
        {"order": 9, "cancel": {"error": "Incorrect order ID"}},
        {"order": int(order), "cancel": 1},
    ]
    assert (v2.balance, v2.orders[order].is_cancel_requested) == (paid, True)
    v2.report(order, "Canceled")
    assert v2.balance == 1000
    assert v2.violations == []


ADDS: dict[str, dict[str, Any]] = {
    "Default": {"link": LINK, "quantity": 100, "runs": 2, "interval": 30},
    "Package": {"link": LINK},
    "SEO": {"link": LINK, "quantity": 100, "keywords": "one\ntwo"},
    "Custom Comments": {"link": LINK, "comments": "\n".join(["nice"] * 10)},
    "Custom Comments Package": {"link": LINK, "comments": "nice\nfine"},
    "Mentions": {"link": LINK, "quantity": 100, "usernames": "a\nb"},
    "Mentions with Hashtags": {"link": LINK, "quantity": 100, "usernames": "a\nb", "hashtags": "#a\n#b"},
    "Mentions Custom List": {"link": LINK, "usernames": "a\nb\nc\nd\ne"},
    "Mentions Hashtag": {"link": LINK, "quantity": 100, "hashtag": "#a"},
    "Mentions User Followers": {"link": LINK, "quantity": 100, "username": LINK},
    "Mentions Media Likers": {"link": LINK, "quantity": 100, "media": LINK},
    "Comment Likes": {"link": LINK, "quantity": 100, "username": "a"},
    "Comment Replies": {"link": LINK, "username": "a", "comments": "1\n2\n3\n4\n5"},
    "Poll": {"link": LINK, "quantity": 100, "answer_number": 2},
    "Invites from Groups": {"link": LINK, "quantity": 100, "groups": "a\nb"},
    "Subscriptions": {"username": "a", "min": 20, "max": 50, "delay": 30, "posts": 3, "expiry": "31/12/2030"},
    "Web Traffic": {"link": LINK, "quantity": 100, "country": "US", "device": 1, "type_of_traffic": 3},
}
QUANTITIES = {"Default": 200, "Package": 1, "Custom Comments": 10, "Custom Comments Package": 1, "Comment Replies": 5}
QUANTITIES |= {"Mentions Custom List": 5, "Subscriptions": 150}


@pytest.mark.parametrize("service_type", sorted(ADDS))
def test_the_v2_panel_sells_every_type_and_counts_its_quantity(v2: Panel, service_type: str) -> None:
    service = next(service for service in v2.services.values() if service.type == service_type)
    answer = ask(v2, "add", service=service.id, **ADDS[service_type]).json()
    order = v2.orders[str(answer["order"])]
    assert order.quantity == QUANTITIES.get(service_type, 100)
    flat = service_type in ("Package", "Custom Comments Package")
    assert order.charge == (service.rate if flat else service.rate * order.quantity / 1000)
    assert v2.balance == 1000 - order.charge
    assert v2.violations == []


@pytest.mark.parametrize("service_type", sorted(ADDS))
def test_the_v2_panel_misses_each_required_field(v2: Panel, service_type: str) -> None:
    service = next(service for service in v2.services.values() if service.type == service_type)
    required = [name for name in v2.add_fields[service_type].required if name != "service"]
    for name in required:
        fields = {field: value for field, value in ADDS[service_type].items() if field != name}
        assert ask(v2, "add", service=service.id, **fields).json() == {"error": "Incorrect request"}
    assert len(v2.violations) == len(required)
    assert v2.orders == {}


def test_comments_at_smpanelim_need_the_parameter_of_the_family(smpanelim: Panel) -> None:
    assert ask(smpanelim, "add", service=2, link=LINK, quantity=10).json() == {"error": "Incorrect request"}
    assert smpanelim.violations == ["POST add: add of Custom Comments lacks comments"]


def test_the_smpanelim_document_has_drip_feed_but_no_lists_of_refills_and_no_cancel(smpanelim: Panel) -> None:
    ask(smpanelim, "add", service=1, link=LINK, quantity=50, runs=3, interval=10)
    assert smpanelim.orders["23501"].quantity == 150
    assert smpanelim.violations == []
    for action, fields in {
        "refill": {"orders": "23501"},
        "refill_status": {"refills": "1"},
        "cancel": {"orders": "1"},
    }.items():
        ask(smpanelim, action, **fields)
    assert len(smpanelim.violations) == 3


# ------------------------------------------------------------------------------------------ tmsmm


def tmsmm_get(panel: Panel, query: str) -> Any:
    return requests.get(f"{panel.url}?{query}&key={panel.key}", timeout=5).json()


def test_the_tmsmm_balance_example_is_a_get_with_a_text() -> None:
    with start("tmsmm", balance="99.80", currency="USD") as panel:
        assert shape(tmsmm_get(panel, "action=balance")) == shape({"balance": "99.80", "currency": "USD"})
        assert panel.violations == []


def test_the_tmsmm_services_example_has_a_text_rate_and_integer_limits(tmsmm: Panel) -> None:
    example = {
        "service": 117,
        "name": "Channel members",
        "type": "Default",
        "category": "Channels",
        "rate": "1890.00",
        "min": 10,
        "max": 30000,
        "refill": False,
        "cancel": True,
    }
    rows = tmsmm_get(tmsmm, "action=services")
    assert all(shape(row) == shape(example) for row in rows)
    assert {row["type"] for row in rows} == {"Default", "Poll", "Custom Comments"}
    assert tmsmm.violations == []


def test_the_tmsmm_add_and_status_examples_have_a_hexadecimal_id(tmsmm: Panel) -> None:
    answer = tmsmm_get(tmsmm, "action=add&service=117&link=https://t.me/username&quantity=100")
    assert answer == {"order": "65ae5538afdd1"}
    assert tmsmm.orders["65ae5538afdd1"].status == "Awaiting"
    row = tmsmm_get(tmsmm, "action=status&order=65ae5538afdd1")
    assert (row["charge"], row["status"], row["remains"], row["currency"]) == ("189", "Awaiting", "100", "RUB")
    assert shape(row) == shape(STATUS)
    assert tmsmm.violations == []


def test_the_tmsmm_form_of_the_vendors_class_is_answered_like_the_get(tmsmm: Panel) -> None:
    form = {"key": tmsmm.key, "action": "add", "service": 130, "link": LINK, "quantity": 100, "answer_number": 3}
    assert len(requests.post(tmsmm.url, data=form, timeout=5).json()["order"]) == 13
    ask(tmsmm, "add", service=140, link=LINK, comments="one\ntwo\nthree\nfour\nfive")
    assert [order.quantity for order in tmsmm.orders.values()] == [100, 5]
    assert tmsmm.violations == []


def test_the_tmsmm_status_of_many_is_malformed_as_the_document_prints_it(tmsmm: Panel) -> None:
    known = buy(tmsmm)
    text = ask(tmsmm, "status", orders=f"{known},65ae580a540f5").text
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    assert text.startswith(f'["{known}": {{')
    rows = json.loads(f"{{{text[1:-1]}}}")
    assert shape(rows) == {known: shape(STATUS), "65ae580a540f5": "str"}
    tmsmm.malformed_multi = False  # type: ignore[attr-defined]
    assert ask(tmsmm, "status", orders=f"{known},65ae580a540f5").json() == rows
    assert rows["65ae580a540f5"] == "Incorrect order ID"
    assert tmsmm.violations == []


@pytest.mark.parametrize("names", [("orders", "refills"), ("order", "refill")])
def test_the_tmsmm_refill_examples_reuse_the_order_id_under_either_name(names: tuple[str, str]) -> None:
    services = [PanelService(118, "Channel members", "Default", "Channels", Decimal("164"), 50, 100_000, refill=True)]
    with start("tmsmm", services=services) as panel:
        first, second = buy(panel), buy(panel)
        panel.report(first, "Completed")
        panel.report(second, "Completed")
        assert ask(panel, "refill", order=first).json() == {"refill": first}
        panel.report_refill(first, "Completed")
        assert ask(panel, "refill_status", refill=first).json() == {"status": "Completed"}
        asked = f"{first},{second},65ae57daea2c8"
        assert ask(panel, "refill", **{names[0]: asked}).json() == [
            {"order": first, "refill": first},
            {"order": second, "refill": second},
            {"order": "65ae57daea2c8", "refill": {"error": "Incorrect order ID"}},
        ]
        panel.report_refill(first, "Completed")
        panel.report_refill(second, "Rejected")
        assert ask(panel, "refill_status", **{names[1]: asked}).json() == [
            {"refill": first, "status": "Completed"},
            {"refill": second, "status": "Rejected"},
            {"refill": "65ae57daea2c8", "status": {"error": "Refill not found"}},
        ]
        assert panel.violations == []


# ------------------------------------------------------------------------------------------ tzsmmpay


def test_the_tzsmmpay_services_example_has_numbers_and_a_currency(tzsmmpay: Panel) -> None:
    example = {
        "service": 2,
        "name": "Monthly Silver",
        "type": "Package",
        "category": "TZSMM Pay License",
        "min": 1,
        "max": 1,
        "rate": 0.56,
        "currency": "USD",
    }
    assert all(shape(row) == shape(example) for row in ask(tzsmmpay, "services").json())
    assert tzsmmpay.violations == []


def test_the_tzsmmpay_add_and_status_examples_charge_flat(tzsmmpay: Panel) -> None:
    assert tzsmmpay.url.endswith("/api/smmpanel/v1")
    assert ask(tzsmmpay, "add", service=2, link=MAIL).json() == {"order": 23501}
    tzsmmpay.report("23501", "Completed")
    row = {"charge": "0.56", "start_count": 0, "status": "Completed", "remains": 0, "currency": "USD"}
    assert ask(tzsmmpay, "status", order=23501).json() == row
    assert ask(tzsmmpay, "status", orders="23501,8").json() == {"23501": row, "8": {"error": "Incorrect order ID"}}
    assert tzsmmpay.violations == []


def test_the_tzsmmpay_balance_example_puts_the_currency_first() -> None:
    with start("tzsmmpay", balance="0.32") as panel:
        assert ask(panel, "balance").text == '{"currency": "USD", "balance": "0.32"}'
        answer = ask(panel, "add", service=2, link=MAIL)
        assert (answer.status_code, answer.json()) == (402, {"error": "You don't have sufficient balance"})
        assert panel.violations == []


def test_the_tzsmmpay_errors_have_their_http_codes(tzsmmpay: Panel) -> None:
    cases = [
        (401, "Invalid API key", {"action": "balance", "key": "wrong"}),
        (400, "Incorrect request", {"action": "refill", "order": 1}),
        (404, "Invalid order ID", {"action": "status", "order": 1}),
        (400, "Incorrect request", {"action": "add", "service": 2, "link": LINK}),
        (400, "Incorrect request", {"action": "add", "service": 2, "link": MAIL, "quantity": 1}),
    ]
    for status, text, fields in cases:
        answer = ask(tzsmmpay, **fields)
        assert (answer.status_code, answer.json()) == (status, {"error": text})
    assert len(tzsmmpay.violations) == 3


# ------------------------------------------------------------------------------------------ toplistbot


def test_the_toplistbot_services_example_has_numbers(toplistbot: Panel) -> None:
    example = {
        "service": 1,
        "name": "Example Service 1000 votes",
        "type": "Default",
        "category": "Votes",
        "rate": 10.0,
        "min": 1,
        "max": 50000,
        "refill": False,
        "cancel": True,
    }
    assert all(shape(row) == shape(example) for row in ask(toplistbot, "services").json())
    assert toplistbot.violations == []


def test_the_toplistbot_add_example_gives_an_order_id(toplistbot: Panel) -> None:
    answer = ask(toplistbot, "add", service=1, link="<http://example.com>", quantity=100, interval=60)
    assert answer.json() == {"order_id": 123}
    assert toplistbot.violations == []


def test_the_toplistbot_status_example_leaves_out_strange_ids(toplistbot: Panel) -> None:
    for _ in range(2):
        ask(toplistbot, "add", service=1, link=LINK, quantity=100)
    toplistbot.report("123", "in progress", remains=50, start_count=50)
    toplistbot.report("124", "completed", start_count=100)
    assert ask(toplistbot, "status", orders="123,124,125").json() == {
        "123": {"charge": 0, "start_count": 50, "status": "in progress", "remains": 50, "currency": "USD"},
        "124": {"charge": 0, "start_count": 100, "status": "completed", "remains": 0, "currency": "USD"},
    }
    assert toplistbot.violations == []


def test_the_toplistbot_cancel_example_refunds_at_once(toplistbot: Panel) -> None:
    for _ in range(2):
        ask(toplistbot, "add", service=1, link=LINK, quantity=1000)
    toplistbot.report("124", "completed")
    assert ask(toplistbot, "cancel", orders="123,124,125").json() == [
        {"order": "123", "cancel": 1, "refund": 10.0},
        {"order": "124", "cancel": {"error": "Order already completed and cannot be canceled"}},
    ]
    assert (toplistbot.balance, toplistbot.orders["123"].status) == (990, "canceled")
    assert toplistbot.violations == []


def test_the_toplistbot_balance_example_gives_a_number() -> None:
    with start("toplistbot", balance=100) as panel:
        assert ask(panel, "balance").text == '{"balance": 100.0, "currency": "USD"}'


def test_the_toplistbot_token_may_come_as_bearer_or_in_the_body_but_must_agree(toplistbot: Panel) -> None:
    bearer = {"Authorization": f"Bearer {toplistbot.key}"}
    for headers, extra, status in [
        (bearer, {}, 200),
        ({}, {"key": toplistbot.key}, 200),
        (bearer, {"key": toplistbot.key}, 200),
        (bearer, {"key": "other"}, 401),
        ({"Authorization": "Bearer wrong"}, {}, 401),
        ({}, {}, 401),
    ]:
        body = {"action": "balance", **extra}
        assert requests.post(toplistbot.url, json=body, headers=headers, timeout=5).status_code == status
    assert toplistbot.violations == []


def test_the_toplistbot_error_examples_name_the_field(toplistbot: Panel) -> None:
    answer = requests.post(toplistbot.url, json={"key": toplistbot.key}, timeout=5)
    assert (answer.status_code, answer.json()) == (422, {"errors": {"action": ["The action field is required."]}})
    answer = ask(toplistbot, "refill", order="123")
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid action"})
    answer = ask(toplistbot, "status", order="123")
    assert (answer.status_code, list(answer.json())) == (422, ["errors"])
    assert len(toplistbot.violations) == 3


def test_the_toplistbot_values_have_the_types_of_the_examples(toplistbot: Panel) -> None:
    assert ask(toplistbot, "add", service="1", link=LINK, quantity=100).status_code == 422
    assert toplistbot.violations == ["POST add: add has service as str"]


# ------------------------------------------------------------------------------------------ every panel


def test_a_wrong_key_is_refused_without_a_violation(any_panel: Panel) -> None:
    answer = ask(any_panel, "balance", key="wrong")
    assert "error" in answer.json()
    assert any_panel.violations == []


def test_an_undocumented_action_field_method_path_and_encoding_are_violations(any_panel: Panel) -> None:
    ask(any_panel, "orders")
    ask(any_panel, "balance", verbose="1")
    requests.put(any_panel.url, json={"action": "balance", "key": any_panel.key}, timeout=5)
    requests.post(any_panel.url + "/", data={"action": "balance", "key": any_panel.key}, timeout=5)
    requests.post(any_panel.url, files={"action": (None, "balance"), "key": (None, any_panel.key)}, timeout=5)
    assert len(any_panel.violations) == 5
    assert len(any_panel.requests) == 5


def test_both_order_and_orders_or_neither_is_a_violation(v2: Panel) -> None:
    ask(v2, "status", order="1", orders="1,2")
    ask(v2, "status")
    assert v2.violations == [
        "POST status: status needs exactly one of order, orders, not order and orders",
        "POST status: status needs exactly one of order, orders, not none",
    ]


@pytest.mark.parametrize(
    ("dialect", "is_allowed"), [("v2", False), ("tmsmm", False), ("smpanelim", True), ("tzsmmpay", True)]
)
def test_more_than_a_hundred_ids_are_a_violation_where_the_document_says_so(dialect: str, is_allowed: bool) -> None:
    with start(dialect) as panel:
        ask(panel, "status", orders=",".join(map(str, range(1, 101))))
        assert panel.violations == []
        ask(panel, "status", orders=",".join(map(str, range(1, 102))))
        assert (panel.violations == []) is is_allowed


def test_a_repeated_parameter_and_a_form_with_a_query_are_violations(v2: Panel) -> None:
    requests.post(v2.url, data=[("key", v2.key), ("action", "balance"), ("action", "balance")], timeout=5)
    requests.post(f"{v2.url}?action=balance", data={"key": v2.key, "action": "balance"}, timeout=5)
    assert len(v2.violations) == 2


def test_business_refusals_are_not_violations(v2: Panel) -> None:
    v2.balance = Decimal("0.01")
    for service, quantity, text in [
        (999, 100, "Incorrect service ID"),
        (1, 49, "Quantity less than minimal 50"),
        (1, 10_001, "Quantity more than maximum 10000"),
        (1, 50, "Not enough funds on balance"),
    ]:
        assert ask(v2, "add", service=service, link=LINK, quantity=quantity).json() == {"error": text}
    assert v2.violations == []
    assert (v2.orders, v2.balance) == ({}, Decimal("0.01"))


def test_a_received_request_keeps_what_came(v2: Panel) -> None:
    ask(v2, "add", service=1, link="https://photos.example/имя?a=1&b=2", quantity=50)
    [request] = v2.received("add")
    assert (request.method, request.path, request.query) == ("POST", "/api/v2", {})
    assert request.content_type == "application/x-www-form-urlencoded"
    assert request.headers["content-length"] == str(len(request.body))
    assert request.params["link"] == "https://photos.example/имя?a=1&b=2"


def test_late_reports_only_move_the_difference(v2: Panel) -> None:
    order = buy(v2, quantity=1000)
    for status, remains, balance in [
        ("Partial", 400, "999.46"),
        ("Partial", 100, "999.19"),
        ("Completed", None, "999.10"),
        ("Canceled", None, "1000.00"),
    ]:
        v2.report(order, status, remains)
        assert v2.balance == Decimal(balance)


def test_a_panel_with_a_memory_goes_on_where_it_stopped(tmp_path: Path) -> None:
    memory = tmp_path / "panel.json"
    with start("v2", memory=memory) as panel:
        add = {"key": panel.key, "action": "add", "service": "1", "link": LINK, "quantity": "100"}
        first = requests.post(panel.url, add, timeout=5).json()["order"]
        left = panel.balance
    with start("v2", memory=memory) as panel:
        assert (panel.balance, list(panel.orders)) == (left, [str(first)])
        assert requests.post(panel.url, add, timeout=5).json()["order"] == first + 1
