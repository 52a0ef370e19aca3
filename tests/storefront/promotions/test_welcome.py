"""The welcome credit comes with the confirmation of an address, once per mailbox and customer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.test import Client, RequestFactory

from orders.ledger import audit as books
from orders.ledger import bonus_money, transfers
from orders.models import Account
from storefront.accounts import checks as accounts_checks
from storefront.accounts import email_change
from storefront.accounts.models import User
from storefront.promotions import audit, email_addresses, welcome
from storefront.promotions.models import ONLY, Bonus, PromotionSettings
from tests import factories
from tests.orders.parallel import together


@pytest.fixture
def credit(db: None) -> PromotionSettings:
    return PromotionSettings.objects.create(pk=ONLY, welcome_amount=Decimal("1.50"))


def balance(user: User) -> Decimal:
    return Account.objects.get(user=user).balance or Decimal(0)


def confirm(user: User, email: str = "") -> bool:
    """Confirm the customer's address, or a new one, as the link in the email does."""

    def verify(request: Any, address: EmailAddress) -> bool:
        User.objects.filter(pk=user.pk).update(email=address.email)
        return True

    address, _ = EmailAddress.objects.get_or_create(user=user, email=email or user.email)
    return email_change.confirm(RequestFactory().get("/"), address, verify=verify)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Anna@Example.com", "anna@example.com", True),
        ("anna+shop@example.com", "anna@example.com", True),
        ("a.n.n.a+x@gmail.com", "anna@googlemail.com", True),
        ("an.na@example.com", "anna@example.com", False),
        ("anna@example.com", "anna@example.org", False),
        ("+anna@example.com", "+otto@example.com", False),
        ("anna", "otto", False),
    ],
)
def test_spellings_of_one_mailbox_are_the_same(one: str, other: str, is_same: bool) -> None:
    assert (email_addresses.normalize(one) == email_addresses.normalize(other)) is is_same


def test_the_credit_comes_with_the_confirmation(credit: PromotionSettings, nadia: User) -> None:
    assert balance(nadia) == 0
    assert confirm(nadia)
    assert balance(nadia) == Decimal("1.50")
    assert bonus_money.refundable(nadia) == 0
    confirm(nadia)
    confirm(nadia, "another@example.com")
    User.objects.filter(pk=nadia.pk).update(email_confirmed_at=None)
    confirm(nadia, "third@example.com")
    assert balance(nadia) == Decimal("1.50")
    credit.refresh_from_db()
    assert credit.welcome_given == Decimal("1.50")


def test_without_the_setting_nothing_is_given(nadia: User) -> None:
    confirm(nadia)
    assert not Bonus.objects.exists()
    PromotionSettings.objects.create(pk=ONLY)
    other = factories.customer("0")
    confirm(other)
    assert balance(other) == 0


def test_an_older_customer_who_changes_the_address_gets_nothing(credit: PromotionSettings) -> None:
    PromotionSettings.objects.update(welcome_amount=Decimal(0))
    old = factories.customer("0")
    confirm(old)
    PromotionSettings.objects.update(welcome_amount=Decimal(1))
    confirm(old, "new@example.com")
    assert balance(old) == 0


def test_one_mailbox_gets_one_credit(credit: PromotionSettings) -> None:
    first = factories.customer("0", email="otto@gmail.com")
    second = factories.customer("0", email="o.t.t.o+1@googlemail.com")
    assert confirm(first)
    assert confirm(second)
    assert (balance(first), balance(second)) == (Decimal("1.50"), 0)


def test_the_budget_ends_the_credit(credit: PromotionSettings) -> None:
    PromotionSettings.objects.update(welcome_budget=Decimal(4))
    people = [factories.customer("0") for _ in range(4)]
    for one in people:
        confirm(one)
    assert [balance(one) for one in people] == [Decimal("1.50"), Decimal("1.50"), 0, 0]
    PromotionSettings.objects.update(welcome_given=Decimal(4))
    assert any("welcome credit: 4.00 counts as given" in line for line in audit.findings())


def test_staff_and_failures_leave_the_account_confirmed(
    credit: PromotionSettings, nadia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = User.objects.create_user("staff@example.com", is_staff=True)
    transfers.open_wallet(staff)
    assert confirm(staff)
    assert balance(staff) == 0

    def fail(user: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(welcome, "give", fail)
    assert confirm(nadia)
    nadia.refresh_from_db()
    assert nadia.email_confirmed_at is not None


@pytest.mark.django_db(transaction=True)
def test_confirmations_at_once_keep_to_mailbox_and_budget() -> None:
    PromotionSettings.objects.create(pk=ONLY, welcome_amount=Decimal(2), welcome_budget=Decimal(6))
    same = [factories.customer("0", email=f"otto+{number}@example.com") for number in range(3)]
    others = [factories.customer("0") for _ in range(4)]
    people = [*same, *others]
    assert together([lambda one=one: confirm(one) for one in people]) == [True] * 7
    assert sum(balance(one) for one in same) <= 2
    assert sum(balance(one) for one in people) == 6
    assert [*books.findings(), *audit.findings()] == []


def test_sign_up_gives_the_credit_after_the_link_was_opened(
    credit: PromotionSettings, settings: Any, client: Client
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    client.post("/account/signup/", {"email": "new@example.com", "password1": "a-long-password-of-words"})
    user = User.objects.get(email="new@example.com")
    assert balance(user) == 0
    address = EmailAddress.objects.get(user=user)
    client.post(f"/account/confirm-email/{EmailConfirmationHMAC(address).key}/")
    assert balance(user) == Decimal("1.50")


def test_an_invalid_listener_fails_the_system_check(settings: Any) -> None:
    assert accounts_checks.check_listeners(None) == []
    settings.ACCOUNTS_CONFIRMATION_LISTENERS = ["nowhere.to.be.found"]
    assert [found.id for found in accounts_checks.check_listeners(None)] == ["accounts.E001"]
    settings.ACCOUNTS_CONFIRMATION_LISTENERS = "storefront.promotions.listeners.email_confirmed"
    assert [found.id for found in accounts_checks.check_listeners(None)] == ["accounts.E001"]


@pytest.mark.django_db
def test_staff_set_the_amount_on_one_page() -> None:
    office = factories.signed_in(User.objects.create_superuser("boss@example.com", "secret"))
    answer = office.get("/admin/promotions/promotionsettings/", follow=True)
    assert "Welcome credit" in answer.content.decode()
    form = {
        "welcome_amount": "2", "welcome_budget": "100", "affiliate_percent": "5", "affiliate_days": "14",
        "affiliate_minimum": "10",
    }  # fmt: skip
    assert office.post("/admin/promotions/promotionsettings/1/change/", form).status_code == 302
    assert PromotionSettings.objects.get().welcome_amount == 2
    assert office.get("/admin/promotions/promotionsettings/add/").status_code == 403
