"""Robokassa: the known signatures, links, notifications by GET and POST, and questions."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from storefront.payments.gateway import (
    GatewayRejected,
    GatewayUnreachable,
    Redirect,
    ReportedState,
    Webhook,
    WebhookRejected,
)
from storefront.payments.gateways.robokassa import Robokassa
from tests.storefront.payments.gateways.pretend import CUSTOMER, REFERENCE, URLS, details
from tests.storefront.payments.gateways.pretend_robokassa import PretendRobokassa, md5

#: A notification, a link and a question with their signatures, computed apart from our code.
KNOWN = {
    "OutSum": "100.50",
    "InvId": "42",
    "Shp_ref": "ABCD-EFGH-2345",
    "SignatureValue": "8B3360774FEF12FBE1931FEC615D7265",
}
KNOWN_LINK, KNOWN_QUESTION = "c053b8807ca9ab3515755569479c1369", "ef62096e2e20555c4b45264b88429e03"
#: Signed with the weaker password 1, as the browser brings it to the success page.
SUCCESS_PAGE = "28ff15d8864b98f120fa93fd8b1eea4f"
RUBLES = details(amount=Decimal("100.50"), currency="RUB")


@pytest.fixture
def pretend(settings: Any) -> Iterator[PretendRobokassa]:
    pretend = PretendRobokassa()
    settings.PAYMENT_GATEWAY_URLS = {"robokassa": pretend.url}
    yield pretend
    pretend.stop()


@pytest.fixture
def gateway(pretend: PretendRobokassa) -> Robokassa:
    return Robokassa(pretend.config)


def sent(method: str, **changes: str) -> Webhook:
    fields = KNOWN | changes
    query, form = (fields, {}) if method == "GET" else ({}, fields)
    return Webhook(method=method, body=b"", headers={}, query=query, form=form)


def link(gateway: Robokassa) -> str:
    action = gateway.start(RUBLES, customer=CUSTOMER, urls=URLS).action
    assert isinstance(action, Redirect)
    return action.url


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_known_notification_is_read(gateway: Robokassa, method: str) -> None:
    report = gateway.read_webhook(sent(method))
    assert report is not None
    assert (report.state, report.reference, report.number) == (ReportedState.PAID, REFERENCE, 42)
    assert (report.amount, report.currency) == (Decimal("100.50"), "")
    assert gateway.answer_webhook(sent(method)).body == "OK42"


@pytest.mark.parametrize(
    "changes",
    [
        {"SignatureValue": ""},
        {"SignatureValue": "0" * 32},
        {"SignatureValue": SUCCESS_PAGE},
        {"OutSum": "100.5"},
        {"OutSum": "100.50:42", "InvId": ""},
        {"InvId": "43"},
        {"InvId": "٤٢"},
        {"Shp_ref": "ABCD-EFGH-2346"},
        {"Shp_ref": ""},
    ],
)
def test_what_is_not_signed_is_rejected(gateway: Robokassa, changes: dict[str, str]) -> None:
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(sent("POST", **changes))


def test_nothing_is_accepted_without_a_password(pretend: PretendRobokassa) -> None:
    gateway = Robokassa({"login": "shop", "algorithm": "md5"})
    with pytest.raises(WebhookRejected):
        gateway.read_webhook(pretend.webhook(RUBLES, secret=""))


def test_start_returns_the_known_link(gateway: Robokassa) -> None:
    fields = dict(parse_qsl(urlsplit(link(gateway)).query))
    assert (fields["MerchantLogin"], fields["OutSum"], fields["InvId"]) == ("shop", "100.50", "42")
    assert (fields["SignatureValue"], fields["Shp_ref"]) == (KNOWN_LINK, REFERENCE)
    assert "IsTest" not in fields
    assert "IsTest=1" in link(Robokassa(gateway.config, is_test=True))


@pytest.mark.parametrize(("algorithm", "length"), [("sha256", 64), ("sha512", 128), ("md5", 32)])
def test_the_algorithm_is_the_one_of_the_shop(gateway: Robokassa, algorithm: str, length: int) -> None:
    fields = dict(parse_qsl(urlsplit(link(Robokassa({**gateway.config, "algorithm": algorithm}))).query))
    assert len(fields["SignatureValue"]) == length


def test_the_state_is_asked_for(pretend: PretendRobokassa, gateway: Robokassa) -> None:
    assert gateway.query(RUBLES) is None
    assert pretend.received[0].query["Signature"] == KNOWN_QUESTION
    parts = urlsplit(link(gateway))
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    assert connection.getresponse().status == 303
    connection.close()
    assert gateway.query(RUBLES) is None
    pretend.opened["42"].state = "declined"
    declined = gateway.query(RUBLES)
    assert declined is not None
    assert declined.state is ReportedState.DECLINED
    report = gateway.read_webhook(pretend.webhook(RUBLES))
    paid = gateway.query(RUBLES)
    assert paid is not None
    assert report is not None
    assert (paid.state, paid.amount, paid.entry_id) == (ReportedState.PAID, Decimal("100.50"), report.entry_id)


def test_a_question_with_wrong_passwords_is_refused(gateway: Robokassa) -> None:
    with pytest.raises(GatewayRejected):
        Robokassa({**gateway.config, "password_2": "wrong"}).query(RUBLES)


@pytest.mark.parametrize("answer", ["", "<html>", "<Result><Code>0", "<Result><Code>0</Code></Result><State><Code>100"])
def test_an_answer_of_another_layout_proves_nothing(
    pretend: PretendRobokassa, gateway: Robokassa, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(pretend, "answer", lambda request: (200, answer))
    try:
        assert gateway.query(RUBLES) is None
    except GatewayUnreachable:
        pass


def test_a_test_payment_says_so(pretend: PretendRobokassa, gateway: Robokassa) -> None:
    report = gateway.read_webhook(pretend.webhook(RUBLES, is_test=True))
    assert report is not None
    assert report.is_test


def test_the_pretend_gateway_signs_as_the_known_one() -> None:
    assert md5("100.50", "42", "pass2", "Shp_ref=ABCD-EFGH-2345").upper() == KNOWN["SignatureValue"]
