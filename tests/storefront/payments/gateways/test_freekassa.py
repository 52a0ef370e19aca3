"""Freekassa: the known signatures, links, notifications by GET and POST, and questions."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from storefront.payments.gateway import GatewayRejected, Redirect, ReportedState, Webhook, WebhookRejected
from storefront.payments.gateways.freekassa import Freekassa
from tests.storefront.payments.gateways import wrong_types
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_freekassa import PretendFreekassa

#: A notification and its signature, computed apart from our code.
KNOWN = {
    "MERCHANT_ID": "12345",
    "AMOUNT": "100.50",
    "MERCHANT_ORDER_ID": "ABCD-EFGH-2345",
    "SIGN": "8967e151e1869f991a198f764ba54703",
}
KNOWN_LINK = "1b43793c72f970f452f9a366c358d531"
RUBLES = details(amount=Decimal("100.50"), currency="RUB")


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendFreekassa]:
    pretend = PretendFreekassa()
    settings.PAYMENT_GATEWAY_URLS = {"freekassa": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendFreekassa) -> Freekassa:
    return Freekassa(pretend.config)


def sent(method: str, **changes: str) -> Webhook:
    fields = KNOWN | changes
    query, form = (fields, {}) if method == "GET" else ({}, fields)
    return Webhook(method=method, body=b"", headers={}, query=query, form=form)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_known_notification_is_read(gateway: Freekassa, method: str) -> None:
    report = gateway.read_webhook(sent(method))
    assert report is not None
    assert (report.state, report.reference, report.amount) == (ReportedState.PAID, REFERENCE, Decimal("100.50"))
    assert report.currency == ""  # it is not signed
    assert gateway.answer_webhook(sent(method)).body == "YES"


@pytest.mark.parametrize(
    "changes",
    [
        {"SIGN": ""},
        {"SIGN": "0" * 32},
        {"SIGN": "ü"},
        {"AMOUNT": "100.5"},
        {"AMOUNT": "1100.50"},
        {"MERCHANT_ORDER_ID": "ABCD-EFGH-2346"},
        {"MERCHANT_ID": "12346"},
    ],
)
def test_what_is_not_signed_is_rejected(gateway: Freekassa, changes: dict[str, str]) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(sent("POST", **changes))


def test_nothing_is_accepted_without_a_secret_word(pretend: PretendFreekassa) -> None:
    with pytest.raises(WebhookRejected):
        Freekassa({"shop_id": "12345"}).read_webhook(pretend.webhook(RUBLES, secret=""))


def test_another_shops_notification_is_rejected(pretend: PretendFreekassa, gateway: Freekassa) -> None:
    with pytest.raises(WebhookRejected, match="another shop"):
        gateway.read_webhook(pretend.webhook(RUBLES, receiver="999"))


def test_start_returns_the_known_link(gateway: Freekassa) -> None:
    action = gateway.start(RUBLES, customer=CUSTOMER, urls=URLS).action
    assert isinstance(action, Redirect)
    fields = dict(parse_qsl(urlsplit(action.url).query))
    assert (fields["m"], fields["oa"], fields["currency"], fields["o"]) == ("12345", "100.50", "RUB", REFERENCE)
    assert fields["s"] == KNOWN_LINK


def test_the_link_opens_the_payment(pretend: PretendFreekassa, gateway: Freekassa) -> None:
    action = gateway.start(RUBLES, customer=CUSTOMER, urls=URLS).action
    assert isinstance(action, Redirect)
    parts = urlsplit(action.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    assert connection.getresponse().status == 303
    connection.close()
    report = gateway.query(RUBLES)
    assert report is not None
    assert report.state is ReportedState.PENDING
    pretend.webhook(RUBLES)
    paid = gateway.query(RUBLES)
    assert paid is not None
    assert (paid.state, paid.amount, paid.currency) == (ReportedState.PAID, Decimal("100.50"), "RUB")


def test_webhook_and_query_name_the_same_entry(pretend: PretendFreekassa, gateway: Freekassa) -> None:
    """Otherwise a payment would count twice."""
    report = gateway.read_webhook(pretend.webhook(RUBLES))
    assert report is not None
    assert report.entry_id == REFERENCE


def test_without_an_api_key_nothing_is_asked(pretend: PretendFreekassa) -> None:
    gateway = Freekassa({**pretend.config, "api_key": ""})
    assert gateway.query(RUBLES) is None
    assert "small payment" in gateway.check()
    assert pretend.received == []


def test_check(gateway: Freekassa, pretend: PretendFreekassa) -> None:
    assert gateway.check() == "The keys work."
    with pytest.raises(GatewayRejected, match="Unauthorized"):
        Freekassa({**pretend.config, "api_key": "wrong"}).check()


def test_wrong_types_are_refused(
    gateway: Freekassa, pretend: PretendFreekassa, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = {"merchant_order_id": REFERENCE, "fk_order_id": 1, "amount": 100.5, "currency": "RUB", "status": 1}

    def ask(changed: Any) -> Any:
        monkeypatch.setattr(pretend, "answer", lambda request: (200, changed))
        return gateway.query(RUBLES)

    wrong_types.assert_handled({"orders": [order]}, ask)
