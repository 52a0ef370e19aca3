"""Payeer: the known signatures, links and notifications."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from storefront.payments.gateway import Redirect, ReportedState, Webhook, WebhookRejected
from storefront.payments.gateways.payeer import Payeer
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_payeer import PretendPayeer, sign

#: A notification and its signature, computed apart from our code.
KNOWN = {
    "m_operation_id": "987654",
    "m_operation_ps": "2609",
    "m_operation_date": "28.11.2026 12:00:00",
    "m_operation_pay_date": "28.11.2026 12:00:05",
    "m_shop": "12345678",
    "m_orderid": "ABCDEFGH2345",
    "m_amount": "10.00",
    "m_curr": "USD",
    "m_desc": "VG9wLXVwIEFCQ0QtRUZHSC0yMzQ1",
    "m_status": "success",
    "m_sign": "A3E8ACF985AF4D69B62024F3BA1F7C3E639922311A27B0D7721347495AC92076",
}
KNOWN_LINK = "C10C86CB2DD0F937A875BF88C993377A75D905E14D3A69B8E3DF41ED7CF823BD"


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendPayeer]:
    pretend = PretendPayeer()
    settings.PAYMENT_GATEWAY_URLS = {"payeer": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendPayeer) -> Payeer:
    return Payeer(pretend.config)


def sent(**changes: str) -> Webhook:
    return Webhook(method="POST", body=b"", headers={}, query={}, form=KNOWN | changes)


def test_the_known_notification_is_read(gateway: Payeer) -> None:
    report = gateway.read_webhook(sent())
    assert report is not None
    assert (report.state, report.reference, report.entry_id) == (ReportedState.PAID, "ABCDEFGH2345", "987654")
    assert (report.amount, report.currency) == (Decimal(10), "USD")
    assert gateway.answer_webhook(sent()).body == "ABCDEFGH2345|success"


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_changed_field_is_noticed(gateway: Payeer, name: str) -> None:
    for value in ("", "1", KNOWN[name] + "0", "é"):
        with pytest.raises(WebhookRejected):
            gateway.read_webhook(sent(**{name: value}))


def test_added_parameters_are_signed_too(gateway: Payeer) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(sent(m_params="{}"))
    values = [value for name, value in KNOWN.items() if name != "m_sign"]
    assert gateway.read_webhook(sent(m_params="{}", m_sign=sign(*values, "{}", "payeer-key"))) is not None


def test_nothing_is_accepted_without_a_key_or_for_another_shop(pretend: PretendPayeer, gateway: Payeer) -> None:
    with pytest.raises(WebhookRejected):
        Payeer({"shop_id": "12345678"}).read_webhook(pretend.webhook(details(), secret=""))
    with pytest.raises(WebhookRejected, match="another shop"):
        gateway.read_webhook(pretend.webhook(details(), receiver="999"))


def test_a_failed_payment_is_declined(pretend: PretendPayeer, gateway: Payeer) -> None:
    report = gateway.read_webhook(pretend.webhook(details(), state="declined"))
    assert report is not None
    assert (report.state, report.amount) == (ReportedState.DECLINED, None)


def test_the_link_is_signed_as_known(pretend: PretendPayeer, gateway: Payeer) -> None:
    payment = details(amount=Decimal(10), description=f"Top-up {REFERENCE}")
    action = gateway.start(payment, customer=CUSTOMER, urls=URLS).action
    assert isinstance(action, Redirect)
    parts = urlsplit(action.url)
    fields = dict(parse_qsl(parts.query))
    assert (fields["m_orderid"], fields["m_amount"]) == ("ABCDEFGH2345", "10.00")
    assert fields["m_sign"] == KNOWN_LINK
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    assert connection.getresponse().status == 303
    connection.close()
