"""The API key pages of a customer."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from storefront.accounts.models import KEYS_MAX, ApiKey, TooManyKeys, User, digest
from tests import factories

KEYS = "/account/keys/"
#: The form as the page shows it first.
FORM = {"name": "shop two", "has_read_scope": "on", "has_order_scope": "on", "has_get_writes": "on", "addresses": ""}
HERE = "198.51.100.20"


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


def form_data(*off: str, **changes: str) -> dict[str, str]:
    """Return the form data with ``changes`` and without the checkboxes in ``off``."""
    return {name: value for name, value in {**FORM, **changes}.items() if name not in off}


def scopes(key: ApiKey) -> tuple[bool, bool, bool, bool]:
    return key.has_read_scope, key.has_order_scope, key.has_get_writes, key.is_sandbox


# ------------------------------------------------------------------------------------------------ making
def test_a_key_is_shown_once(page: Client, nadia: User) -> None:
    response = page.post(KEYS, FORM, follow=True)
    shown = re.search(r'<code id="new-key">([0-9a-f]{64})</code>', text_of(response))
    assert shown
    assert 'data-copy="new-key"' in text_of(response)
    assert ApiKey.objects.get(user=nadia).digest == digest(shown[1])
    again = text_of(page.get(KEYS))
    assert shown[1] not in again
    assert shown[1][:8] in again
    assert "no-store" in response.headers["Cache-Control"]


def test_new_key_message_links_to_the_api_reference(page: Client) -> None:
    alert = text_of(page.post(KEYS, FORM, follow=True)).partition('data-tone="success"')[2].partition("</div>")[0]
    assert 'href="/api/"' in alert


def test_new_key_form_starts_with_all_permissions(page: Client) -> None:
    text = text_of(page.get(KEYS))
    checked = set(re.findall(r'name="(\w+)"[^>]* checked', text))
    assert checked == {"has_read_scope", "has_order_scope", "has_get_writes"}


@pytest.mark.parametrize(
    ("data", "made"),
    [
        (form_data(), (True, True, True, False)),
        (form_data("has_order_scope"), (True, False, True, False)),
        (form_data("has_read_scope", "has_get_writes"), (False, True, False, False)),
        (form_data(is_sandbox="on"), (True, True, True, True)),
    ],
)
def test_key_gets_the_selected_permissions(data: dict[str, str], made: tuple[bool, ...], page: Client) -> None:
    page.post(KEYS, data)
    assert scopes(ApiKey.objects.get()) == made


@pytest.mark.parametrize(
    "data", [form_data(name=""), form_data(name=" "), form_data("has_read_scope", "has_order_scope")]
)
def test_key_requires_a_name_and_a_permission(data: dict[str, str], page: Client) -> None:
    assert page.post(KEYS, data).status_code == 200
    assert not ApiKey.objects.exists()


def test_customers_cannot_set_the_rate_limit_or_owner_of_a_key(page: Client, nadia: User) -> None:
    other = factories.user()
    page.post(KEYS, form_data(calls_per_minute="99999", user=str(other.pk), digest="0" * 64, revoked_at="2020-01-01"))
    key = ApiKey.objects.get()
    assert (key.user, key.calls_per_minute, key.revoked_at) == (nadia, None, None)


def test_customer_has_at_most_twenty_active_keys(page: Client, nadia: User) -> None:
    for number in range(KEYS_MAX):
        ApiKey.objects.issue(nadia, name=str(number))
    assert "Revoke one first" in text_of(page.post(KEYS, FORM))
    assert ApiKey.objects.count() == KEYS_MAX
    with pytest.raises(TooManyKeys):
        ApiKey.objects.issue(nadia)
    page.post(f"{KEYS}{ApiKey.objects.first().pk}/revoke/")
    page.post(KEYS, FORM)
    assert ApiKey.objects.active().count() == KEYS_MAX


# ------------------------------------------------------------------------------------------------ addresses
def test_allowed_addresses_are_normalized(page: Client) -> None:
    page.post(KEYS, form_data(addresses="198.51.100.7/24\r\n\r\n2001:DB8::0:7\r\n::ffff:203.0.113.7\r\n203.0.113.7"))
    assert ApiKey.objects.get().addresses == "198.51.100.0/24\n2001:db8::7\n203.0.113.7"


@pytest.mark.parametrize(("line", "number"), [("shop.example", 2), ("203.0.113.7/40", 2), ("<b>&amp;", 2)])
def test_invalid_address_line_is_named_and_no_key_is_created(line: str, number: int, page: Client) -> None:
    response = page.post(KEYS, form_data(addresses=f"203.0.113.7\n{line}"))
    assert f"Line {number}, “{line}”, is not valid" in text_of(response)
    assert "<b>" not in response.content.decode()
    assert 'aria-invalid="true"' in text_of(response)
    assert not ApiKey.objects.exists()


def test_too_many_lines_are_refused(page: Client) -> None:
    lines = "\n".join(f"10.0.{number}.1" for number in range(51))
    assert "at most 50 lines" in text_of(page.post(KEYS, form_data(addresses=lines)))


def test_current_ip_address_is_offered(page: Client) -> None:
    assert f"Add my current IP address, {HERE}" in text_of(page.get(KEYS, REMOTE_ADDR=HERE))
    page.post(KEYS, form_data(addresses="203.0.113.7", is_from_here="on"), REMOTE_ADDR=HERE)
    assert ApiKey.objects.get().addresses == f"203.0.113.7\n{HERE}"


def test_unknown_ip_address_is_not_offered(page: Client) -> None:
    assert "my current IP address" not in text_of(page.get(KEYS, REMOTE_ADDR=""))


def test_offered_ip_address_cannot_be_forged(page: Client, settings: Any) -> None:
    settings.BEHIND_PROXY = True
    page.post(KEYS, form_data(is_from_here="on"), headers={"X-Forwarded-For": f"10.0.0.1, {HERE}"})
    assert ApiKey.objects.get().addresses == HERE


# ------------------------------------------------------------------------------------------------ the list
def test_list_shows_permissions_and_last_use(page: Client, nadia: User) -> None:
    key, _text = ApiKey.objects.issue(nadia, name="bot", has_order_scope=False, is_sandbox=True, addresses="10.0.0.1")
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now() - timedelta(hours=3, minutes=9))
    text = text_of(page.get(KEYS)).replace("\xa0", " ")
    for expected in ("bot", f"{key.prefix}…", "Sandbox", "Read only", "10.0.0.1", ">3 hours ago<"):
        assert expected in text


def test_revoked_keys_are_listed_separately(page: Client, nadia: User) -> None:
    ApiKey.objects.issue(nadia, name="new one")
    key, _text = ApiKey.objects.issue(nadia, name="old one")
    page.post(f"{KEYS}{key.pk}/revoke/")
    active, _, revoked = text_of(page.get(KEYS)).partition('<details class="card folded">')
    assert ("new one" in active, "old one" in revoked) == (True, True)
    assert "new one" not in revoked


def test_number_of_queries_does_not_depend_on_rows(
    page: Client, nadia: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(KEYS_MAX):
        key, _text = ApiKey.objects.issue(nadia, name=str(number), addresses="10.0.0.1\n10.0.0.2\n10.0.0.3")
        ApiKey.objects.create(
            user=nadia, name="gone", prefix=key.prefix, digest=digest(str(number)), revoked_at=timezone.now()
        )
    # Session, user, the two lists, and what the page's head asks (the balance).
    with django_assert_max_num_queries(5):
        page.get(KEYS)


# ------------------------------------------------------------------------------------------------ changing
def test_a_key_is_changed(page: Client, nadia: User) -> None:
    key, _text = ApiKey.objects.issue(nadia, name="bot")
    assert 'value="bot"' in text_of(page.get(f"{KEYS}{key.pk}/"))
    changed = form_data("has_order_scope", "has_get_writes", name="robot", addresses="10.0.0.1/8", is_sandbox="on")
    assert page.post(f"{KEYS}{key.pk}/", changed).headers["Location"] == KEYS
    key.refresh_from_db()
    # A key stays what it was made for: nobody's trials become real by a tick.
    assert scopes(key) == (True, False, False, False)
    assert (key.name, key.addresses) == ("robot", "10.0.0.0/8")


def test_invalid_change_saves_nothing(page: Client, nadia: User) -> None:
    key, _text = ApiKey.objects.issue(nadia, name="bot")
    assert "Line 1" in text_of(page.post(f"{KEYS}{key.pk}/", form_data(name="robot", addresses="x")))
    key.refresh_from_db()
    assert (key.name, key.addresses) == ("bot", "")


def test_revoked_key_cannot_be_edited(page: Client, nadia: User) -> None:
    key, _text = ApiKey.objects.issue(nadia, name="bot")
    page.post(f"{KEYS}{key.pk}/revoke/")
    assert page.post(f"{KEYS}{key.pk}/", form_data(name="robot")).status_code == 404
    key.refresh_from_db()
    assert key.revoked_at
    assert key.name == "bot"


# ------------------------------------------------------------------------------------------------ revoking
def test_revoking_asks_for_confirmation(page: Client, nadia: User) -> None:
    key, _text = ApiKey.objects.issue(nadia, name="old")
    assert f'href="{KEYS}{key.pk}/revoke/"' in text_of(page.get(KEYS))
    asked = text_of(page.get(f"{KEYS}{key.pk}/revoke/"))
    assert "Revoke this API key?" in asked
    assert key.prefix in asked
    key.refresh_from_db()
    assert key.revoked_at is None


def test_revoking_twice_keeps_the_first_time(page: Client, nadia: User) -> None:
    key, _text = ApiKey.objects.issue(nadia, name="old")
    assert page.post(f"{KEYS}{key.pk}/revoke/").headers["Location"] == KEYS
    key.refresh_from_db()
    assert key.revoked_at
    page.post(f"{KEYS}{key.pk}/revoke/")
    assert ApiKey.objects.get(pk=key.pk).revoked_at == key.revoked_at


# ------------------------------------------------------------------------------------------------ strangers
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("what", ["", "revoke/"])
def test_keys_of_other_customers_are_not_found(method: str, what: str, page: Client) -> None:
    key, _text = ApiKey.objects.issue(factories.user(), name="theirs")
    assert getattr(page, method)(f"{KEYS}{key.pk}/{what}", form_data(name="mine")).status_code == 404
    key.refresh_from_db()
    assert (key.name, key.revoked_at) == ("theirs", None)
    assert key.prefix not in text_of(page.get(KEYS))


@pytest.mark.parametrize("what", ["", "1/", "1/revoke/"])
def test_key_pages_require_sign_in(what: str, client: Client, db: None) -> None:
    assert client.get(f"{KEYS}{what}").headers["Location"].startswith("/account/login/")
