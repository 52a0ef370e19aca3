"""Payment methods in the back office: adding one, its credentials, the test of the connection, and who may do it."""

from __future__ import annotations

import html
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.test import Client

from storefront.accounts.models import User
from storefront.currencies.models import Currency
from storefront.payments import availability, gateways, method_form
from storefront.payments.gateway import GatewayRejected, GatewayUnreachable
from storefront.payments.gateways.nowpayments import NowPayments
from storefront.payments.models import PaymentMethod
from storefront.shop.icons import ICONS
from tests import factories
from tests.storefront.backoffice.test_editable_rows import open_form, save
from tests.storefront.payments import payments

pytestmark = pytest.mark.django_db
LIST = "/admin/payments/paymentmethod/"
ADD = f"{LIST}add/?gateway=nowpayments"
KEY, IPN = "live-key-4711", "ipn-secret-4712"


@pytest.fixture
def method() -> PaymentMethod:
    row = PaymentMethod(gateway="nowpayments", name="Coins", icon="coin", minimum=Decimal(5))
    row.set_values({"api_key": KEY, "ipn_secret": IPN}, secret_names={"api_key", "ipn_secret"})
    row.save()
    return row


def change(method: PaymentMethod) -> str:
    return f"{LIST}{method.pk}/change/"


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def test_the_gateways_are_offered_first(admin_client: Client, settings: Any) -> None:
    settings.DEMO_GATEWAY = False
    page = text_of(admin_client.get(f"{LIST}add/"))
    for gateway in gateways.available():
        assert f'href="?gateway={gateway.name}"' in page
        assert str(gateway.label) in page
    assert "?gateway=demo" not in page
    assert page.count(">Beta<") == sum(gateway.is_beta for gateway in gateways.available())
    assert "?gateway=stripe" in text_of(admin_client.get(f"{LIST}add/?gateway=unknown"))


@pytest.mark.parametrize("name", sorted(gateways.GATEWAYS))
def test_every_gateway_has_a_form(name: str, admin_client: Client, settings: Any) -> None:
    settings.DEMO_GATEWAY, settings.DEMO_GATEWAY_SECRET = True, payments.SECRET
    page = admin_client.get(f"{LIST}add/?gateway={name}").content.decode()
    gateway = gateways.GATEWAYS[name]
    for one in gateway.config_fields:
        assert f'name="config_{one.name}"' in page
    assert ('name="is_test"' in page) == gateway.has_test_mode()
    assert ('name="checks_networks"' in page) == bool(gateway.webhook_networks)
    assert ('name="difference_policy"' in page) == gateway.has_differences


def test_a_new_method_stores_its_credentials_encrypted(admin_client: Client) -> None:
    sent = open_form(admin_client, ADD)
    assert (sent["name"], sent["icon"], sent["position"]) == ("NOWPayments", "wallet", "0")
    answer = save(admin_client, ADD, {**sent, "config_api_key": KEY, "config_ipn_secret": IPN, "minimum": "5"})
    row = PaymentMethod.objects.get()
    assert answer.redirect_chain[-1][0] == change(row)
    assert row.values() == {"api_key": KEY, "ipn_secret": IPN}
    assert row.config == {}
    assert KEY not in str(PaymentMethod.objects.values().get())
    page = text_of(answer)
    assert KEY not in page
    assert IPN not in page
    assert row.webhook_url in page


def test_required_credentials_and_limits_are_checked(admin_client: Client) -> None:
    sent = open_form(admin_client, ADD)
    page = text_of(save(admin_client, ADD, {**sent, "minimum": "50", "maximum": "5", "countries": "TR, Narnia"}))
    assert "The maximum is below the minimum." in page
    assert "Not a country code: NARNIA" in page
    assert page.count("This field is required.") == 2
    assert not PaymentMethod.objects.exists()


def test_a_value_that_is_known_later_can_be_added_after_saving(admin_client: Client) -> None:
    """Stripe shows the webhook secret only after the webhook URL was entered there, which exists after saving."""
    address = f"{LIST}add/?gateway=stripe"
    form = {**open_form(admin_client, address), "minimum": "5", "config_secret_key": "sk_live_1"}
    assert "Save the method first" in text_of(admin_client.get(address))
    save(admin_client, address, form)
    row = PaymentMethod.objects.get()
    assert row.values() == {"secret_key": "sk_live_1"}
    assert availability.problem(row, payable={"USD"}) is availability.Problem.CREDENTIALS
    assert row.webhook_url in text_of(admin_client.get(change(row)))
    form = {**open_form(admin_client, change(row)), "config_webhook_secret": "whsec_1"}
    save(admin_client, change(row), form)
    row.refresh_from_db()
    assert availability.problem(row, payable={"USD"}) is None


def test_countries_are_normalized(admin_client: Client, method: PaymentMethod) -> None:
    save(admin_client, change(method), {**open_form(admin_client, change(method)), "countries": " tr,in , TR"})
    method.refresh_from_db()
    assert method.countries == "TR, IN"


def test_an_empty_secret_keeps_the_stored_one(admin_client: Client, method: PaymentMethod) -> None:
    page = admin_client.get(change(method)).content.decode()
    assert KEY not in page
    assert IPN not in page
    assert page.count("Leave empty to keep the stored value.") == 2
    sent = open_form(admin_client, change(method))
    assert sent["config_api_key"] == sent["config_ipn_secret"] == ""
    save(admin_client, change(method), {**sent, "config_ipn_secret": "new-ipn", "name": "Crypto"})
    method.refresh_from_db()
    assert (method.name, method.values()) == ("Crypto", {"api_key": KEY, "ipn_secret": "new-ipn"})
    (entry,) = LogEntry.objects.all()
    assert "new-ipn" not in entry.change_message
    assert "Webhook secret" in entry.get_change_message()


def test_credentials_that_cannot_be_decrypted_can_be_entered_again(
    admin_client: Client, method: PaymentMethod, settings: Any
) -> None:
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    page = text_of(admin_client.get(change(method)))
    assert "The stored credentials cannot be decrypted" in page
    assert "cannot be decrypted" in text_of(admin_client.get(LIST))
    sent = open_form(admin_client, change(method))
    save(admin_client, change(method), {**sent, "config_api_key": "a", "config_ipn_secret": "b"})
    method.refresh_from_db()
    assert method.values() == {"api_key": "a", "ipn_secret": "b"}


def test_only_currencies_with_a_rate_can_be_chosen(admin_client: Client) -> None:
    Currency.objects.create(code="EUR", rate=Decimal("0.92"), is_payable=True)
    page = text_of(admin_client.get(f"{LIST}add/?gateway=cryptobot"))
    assert '<option value="" selected>USD · US Dollar (store currency)</option>' in page
    assert '<option value="EUR">EUR · Euro</option>' in page
    assert "Not offered because there is no exchange rate: RUB, BYN" in page
    assert 'value="RUB"' not in page


def test_a_currency_that_lost_its_rate_stays_and_is_reported(admin_client: Client, method: PaymentMethod) -> None:
    PaymentMethod.objects.filter(pk=method.pk).update(currency="EUR")
    page = text_of(admin_client.get(change(method)))
    assert '<option value="EUR" selected>EUR · Euro (no exchange rate)</option>' in page
    assert "Customers cannot use this payment method" in page
    assert "The currency has no exchange rate" in text_of(admin_client.get(LIST))


def test_the_list_says_why_a_method_is_not_offered(admin_client: Client, method: PaymentMethod) -> None:
    PaymentMethod.objects.create(gateway="gone", name="Old", minimum=Decimal(1))
    PaymentMethod.objects.create(gateway="stripe", name="Card", minimum=Decimal(1))
    PaymentMethod.objects.create(gateway="transfer", name="Bank", minimum=Decimal(1), config={"instructions": "Pay"})
    page = text_of(admin_client.get(LIST))
    assert page.count("The gateway is not available") == 1
    assert page.count("Credentials are missing") == 1
    nadia = factories.signed_in(factories.customer("10"))
    offered = text_of(nadia.get("/wallet/add-funds/"))
    assert "Bank" in offered
    assert "Coins" in offered
    assert "Card" not in offered.replace("Card ", "")


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        ("The keys work.", "Connection tested. The keys work."),
        (GatewayRejected("nowpayments answered 403: bad key"), "The gateway refused the credentials: nowpayments"),
        (GatewayUnreachable("no answer"), "The gateway did not answer. Try again in a few minutes."),
    ],
)
def test_the_connection_is_tested(
    outcome: Any, shown: str, admin_client: Client, method: PaymentMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[dict[str, str]] = []

    def check(gateway: NowPayments) -> str:
        used.append(dict(gateway.config))
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    monkeypatch.setattr(NowPayments, "check", check)
    before = PaymentMethod.objects.values().get()
    assert admin_client.get(f"{LIST}{method.pk}/check/").status_code == 405
    assert used == []
    assert shown in text_of(admin_client.post(f"{LIST}{method.pk}/check/", follow=True))
    assert used == [{"api_key": KEY, "ipn_secret": IPN}]
    assert PaymentMethod.objects.values().get() == before


def test_the_webhook_url_can_be_replaced(admin_client: Client, method: PaymentMethod) -> None:
    old = method.token
    assert admin_client.get(f"{LIST}{method.pk}/new_url/").status_code == 405
    admin_client.post(f"{LIST}{method.pk}/new_url/")
    method.refresh_from_db()
    assert method.token != old
    assert len(method.token) >= 20
    assert Client().post(f"/wallet/add-funds/webhooks/{method.pk}/{old}/", b"{}", "application/json").status_code == 404


def test_a_used_method_cannot_be_deleted(admin_client: Client, method: PaymentMethod) -> None:
    used = payments.bank()
    payments.manual(factories.customer("0"), "10", used)
    assert admin_client.post(f"{LIST}{used.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.post(f"{LIST}{method.pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(PaymentMethod.objects.all()) == [used]


@pytest.mark.parametrize(
    ("permission", "page", "checks", "adds"),
    [
        ("", 403, 403, 403),
        ("view_paymentmethod", 200, 403, 403),
        ("change_paymentmethod", 200, 302, 403),
        ("add_paymentmethod", 403, 403, 200),
    ],
)
def test_permissions(
    permission: str, page: int, checks: int, adds: int, method: PaymentMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NowPayments, "check", lambda gateway: "")
    client = factories.signed_in(factories.staff(permission))
    answer = client.get(change(method))
    assert answer.status_code == page
    assert KEY.encode() not in answer.content
    assert client.post(f"{LIST}{method.pk}/check/").status_code == checks
    assert client.post(f"{LIST}{method.pk}/new_url/").status_code == checks
    assert client.get(f"{LIST}add/").status_code == adds
    assert client.get(ADD).status_code == adds
    method.refresh_from_db()
    assert method.values() == {"api_key": KEY, "ipn_secret": IPN}


def test_chosen_customers_are_required_and_saved(admin_client: Client, method: PaymentMethod) -> None:
    nadia: User = factories.customer("0")
    sent = {**open_form(admin_client, change(method)), "audience": "chosen"}
    assert "Choose at least one customer." in text_of(save(admin_client, change(method), sent))
    save(admin_client, change(method), {**sent, "customers": str(nadia.pk)})
    method.refresh_from_db()
    assert (method.audience, list(method.customers.all())) == ("chosen", [nadia])


def test_the_icons_exist() -> None:
    assert {name for name, _label in method_form.ICONS} <= set(ICONS)
    assert {gateway.icon for gateway in gateways.GATEWAYS.values()} <= {name for name, _label in method_form.ICONS}
