from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orders.ledger import audit
from orders.models import Account, Transfer
from storefront.accounts.models import KEYS_MAX, ApiKey, User, digest
from tests import factories

pytestmark = pytest.mark.django_db


def customer(*arguments: Any) -> str:
    out = StringIO()
    call_command("customer", *arguments, stdout=out)
    return out.getvalue()


def refusal(*arguments: Any) -> str:
    with pytest.raises(CommandError) as refused:
        customer(*arguments)
    return str(refused.value)


# ------------------------------------------------------------------------------------------------ add
def test_added_customer_has_an_empty_balance() -> None:
    assert "nadia@example.com" in customer("add", "Nadia@Example.COM", "--password", "a long enough one")
    user = User.objects.get()
    assert (user.email, user.wallet.balance) == ("nadia@example.com", 0)
    assert user.check_password("a long enough one")


def test_customer_added_without_password_cannot_sign_in() -> None:
    customer("add", "nadia@example.com")
    assert not User.objects.get().has_usable_password()


def test_a_password_is_read_from_a_file(tmp_path: Path) -> None:
    """An argument would be visible in the process list."""
    file = tmp_path / "password"
    file.write_text("a long enough one\n")
    customer("add", "nadia@example.com", "--password-file", str(file))
    assert User.objects.get().check_password("a long enough one")
    assert "cannot be read" in refusal("add", "omar@example.com", "--password-file", str(tmp_path / "nothing"))


def test_email_is_unique_ignoring_case() -> None:
    customer("add", "nadia@example.com")
    assert "is already a customer" in refusal("add", "NADIA@example.com")
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "arguments", [("nadia",), ("",), ("a b@example.com",), ("nadia@example.com", "--password", "123")]
)
def test_add_validates_like_sign_up(arguments: tuple[str, ...]) -> None:
    assert refusal("add", *arguments)
    assert not User.objects.exists()
    assert not Account.objects.filter(kind="wallet").exists()


# ------------------------------------------------------------------------------------------------ credit
def test_reference_is_credited_once() -> None:
    factories.user("nadia@example.com")
    output = [customer("credit", "NADIA@example.com", "25.00", "--reference", "bank 17") for _ in range(2)]
    assert output[0] == output[1]
    assert "25.00 USD under payment:manual:bank 17; the balance is 25.00 USD" in output[0]
    assert Transfer.objects.count() == 1
    assert list(audit.findings()) == []


def test_a_reference_used_for_another_amount_or_customer_is_refused() -> None:
    factories.user("nadia@example.com")
    factories.user("omar@example.com")
    customer("credit", "nadia@example.com", "25", "--reference", "1")
    for email, amount in (("nadia@example.com", "26"), ("omar@example.com", "25")):
        assert "was used before" in refusal("credit", email, amount, "--reference", "1")
    assert Transfer.objects.count() == 1


@pytest.mark.parametrize(
    "amount",
    ["0", "--amount=-1", "abc", "1e3", "NaN", "inf", "1,000", "0.0000001", "9" * 20, "99999999999999", "١٢", ""],
)
def test_invalid_amount_credits_nothing(amount: str) -> None:
    factories.user("nadia@example.com")
    arguments = ["credit", "nadia@example.com", "--reference", "1", "--", amount.removeprefix("--amount=")]
    assert refusal(*arguments).startswith("Nothing was credited: ")
    assert not Transfer.objects.exists()


@pytest.mark.parametrize("reference", ["x" * 300, "a\0b", "a\nb"])
def test_invalid_reference_credits_nothing(reference: str) -> None:
    factories.user("nadia@example.com")
    assert "printable characters" in refusal("credit", "nadia@example.com", "5", "--reference", reference)


def test_a_credit_needs_a_reference() -> None:
    assert "--reference" in refusal("credit", "nadia@example.com", "5")


# ------------------------------------------------------------------------------------------------ key
def test_key_is_printed_and_stored_as_a_hash() -> None:
    factories.user("nadia@example.com")
    first, second = (customer("key", "nadia@example.com") for _ in range(2))
    assert [len(first), len(first.split())] == [65, 1]
    assert first != second
    keys = list(ApiKey.objects.order_by("id").values_list("digest", flat=True))
    assert keys == [digest(first.strip()), digest(second.strip())]


@pytest.mark.parametrize("arguments", [("key",), ("credit", "5", "--reference", "1")])
def test_unknown_email_error_names_the_add_command(arguments: tuple[str, ...]) -> None:
    action, *rest = arguments
    assert "manage.py customer add omar@example.com" in refusal(action, "omar@example.com", *rest)


def test_key_options_restrict_the_key() -> None:
    factories.user("nadia@example.com")
    customer("key", "nadia@example.com", "--name", "bot", "--only", "read", "--no-get", "--sandbox",
             "--address", "10.1.2.3/8", "--address", "2001:DB8::7")  # fmt: skip
    key = ApiKey.objects.get()
    assert (key.name, key.addresses) == ("bot", "10.0.0.0/8\n2001:db8::7")
    assert (key.has_read_scope, key.has_order_scope, key.has_get_writes, key.is_sandbox) == (True, False, False, True)
    customer("key", "nadia@example.com", "--only", "order")
    key = ApiKey.objects.first()
    assert (key.name, key.addresses) == ("command line", "")
    assert (key.has_read_scope, key.has_order_scope, key.has_get_writes, key.is_sandbox) == (False, True, True, False)


def test_invalid_address_creates_no_key() -> None:
    factories.user("nadia@example.com")
    output = refusal("key", "nadia@example.com", "--address", "10.0.0.1", "--address", "home")
    assert output == 'The API key was not created: line 2 is not an IP address or network: "home".'
    assert not ApiKey.objects.exists()


def test_command_enforces_the_limit_of_keys() -> None:
    nadia = factories.user("nadia@example.com")
    for _ in range(KEYS_MAX):
        ApiKey.objects.issue(nadia)
    assert "Revoke one first" in refusal("key", "nadia@example.com")
