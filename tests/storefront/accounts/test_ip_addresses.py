from __future__ import annotations

from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory

from storefront.accounts import ip_addresses


def normalized(text: str) -> str:
    return ip_addresses.to_text(ip_addresses.parse(text))


# ------------------------------------------------------------------------------------------------ reading
@pytest.mark.parametrize(
    ("line", "normal"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7\t", "203.0.113.7"),
        ("203.0.113.7/32", "203.0.113.7"),
        ("198.51.100.0/24", "198.51.100.0/24"),
        ("198.51.100.7/24", "198.51.100.0/24"),
        ("198.51.100.0/255.255.255.0", "198.51.100.0/24"),
        ("2001:DB8:0:0:0:0:0:7", "2001:db8::7"),
        ("2001:db8::7/128", "2001:db8::7"),
        ("2001:db8:1::1/48", "2001:db8:1::/48"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:198.51.100.0/120", "198.51.100.0/24"),
        ("::/0", "::/0"),
        ("", ""),
    ],
)
def test_lines_are_normalized(line: str, normal: str) -> None:
    assert normalized(line) == normal


def test_empty_lines_and_duplicates_are_dropped() -> None:
    assert normalized("\r\n203.0.113.7\r\n\r\n198.51.100.0/24\r\n203.0.113.7/32\r\n") == "203.0.113.7\n198.51.100.0/24"


@pytest.mark.parametrize(
    "line",
    ["shop.example", "203.0.113", "203.0.113.256", "203.0.113.7/33", "203.0.113.7, 203.0.113.8", "203.0.113.7:80",
     "2001:db8::g", "fe80::1%eth0", "10.0.0.1-10.0.0.9", "010.0.0.1", "1", "٢٠٣.0.113.7", "203.0.113.7 # home"],
)  # fmt: skip
def test_invalid_line_is_named(line: str) -> None:
    with pytest.raises(ip_addresses.BadLine) as refused:
        ip_addresses.parse(f"203.0.113.7\n\n{line}\nnor this")
    assert (refused.value.number, refused.value.line) == (3, line)
    assert "line 3" in str(refused.value)


def test_number_of_lines_is_limited() -> None:
    lines = [f"203.0.113.{number}" for number in range(ip_addresses.LINES_MAX + 1)]
    assert len(ip_addresses.parse("\n".join(lines[:-1]))) == ip_addresses.LINES_MAX
    with pytest.raises(ip_addresses.TooManyLines):
        ip_addresses.parse("\n".join(lines))


# ------------------------------------------------------------------------------------------------ allowing
@pytest.mark.parametrize(
    ("text", "address", "is_allowed"),
    [
        ("", "203.0.113.7", True),
        (" \n", "203.0.113.7", True),
        ("", "", True),
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("198.51.100.0/24\n203.0.113.7", "203.0.113.7", True),
        ("198.51.100.0/24", "198.51.100.255", True),
        ("198.51.100.0/24", "198.51.101.0", False),
        ("2001:db8::/32", "2001:db8:ffff::1", True),
        ("2001:db8::/32", "2001:db9::1", False),
        ("fe80::1", "fe80::1%eth0", True),
        # An IPv4 caller of a server that listens on IPv6.
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("203.0.113.7", "::ffff:cb00:7107", True),
        ("203.0.113.7", "::ffff:203.0.113.8", False),
        ("::ffff:203.0.113.0/120", "203.0.113.7", True),
        # One family's "everywhere" is not the other's.
        ("0.0.0.0/0", "2001:db8::1", False),
        ("0.0.0.0/0", "203.0.113.7", True),
        ("::/0", "203.0.113.7", False),
        # What cannot be read opens nothing.
        ("203.0.113.7", "", False),
        ("203.0.113.7", "unknown", False),
        ("203.0.113.7\nnonsense", "203.0.113.7", False),
    ],
)
def test_only_a_listed_address_is_allowed(text: str, address: str, is_allowed: bool) -> None:
    assert ip_addresses.allows(text, address) is is_allowed


# ------------------------------------------------------------------------------------------------ asking the request
def address_of(remote: str, forwarded: str | None = None) -> str:
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return ip_addresses.client_address(RequestFactory().get("/", REMOTE_ADDR=remote, **headers))


def test_forwarded_header_is_ignored_without_a_proxy(settings: Any) -> None:
    settings.BEHIND_PROXY = False
    assert address_of("203.0.113.7", "198.51.100.1") == "203.0.113.7"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("10.0.0.1, 203.0.113.99, 198.51.100.1", "198.51.100.1"),
        ("198.51.100.1:50123", "198.51.100.1"),
        ("2001:DB8::7", "2001:db8::7"),
        ("made up, [2001:db8::7]:50123", "2001:db8::7"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        # Nobody wrote a usable one: better no address than one that a client chose.
        ("198.51.100.1,", ""),
        ("198.51.100.1, unknown", ""),
        ("", ""),
    ],
)
def test_behind_a_proxy_only_its_own_entry_is_used(forwarded: str, address: str, settings: Any) -> None:
    settings.BEHIND_PROXY = True
    assert address_of("127.0.0.1", forwarded) == address


def test_call_that_bypasses_the_proxy_uses_its_remote_address(settings: Any) -> None:
    settings.BEHIND_PROXY = True
    assert address_of("::ffff:127.0.0.1") == "127.0.0.1"


def test_sign_in_limits_use_the_same_address(settings: Any) -> None:
    settings.BEHIND_PROXY = True
    spoofed = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="10.0.0.1, 198.51.100.1")
    assert get_adapter().get_client_ip(spoofed) == "198.51.100.1"
    with pytest.raises(PermissionDenied):
        get_adapter().get_client_ip(RequestFactory().get("/", REMOTE_ADDR=""))
