"""The rules for addresses that we may connect to, without any connection."""

from __future__ import annotations

import ipaddress
import random

import pytest

from providers.errors import AddressNotAllowed, NotSent
from providers.http.addresses import check_address, is_public

FORBIDDEN_HOSTS = [
    "127.0.0.1", "127.1", "2130706433", "0177.0.0.1", "0x7f000001", "0x7f.1", "0.0.0.0", "localhost", "LOCALHOST.",
    "db.localhost", "169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "192.0.2.1", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[fc00::1]", "[fd12::1]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::1]",
    "168.63.129.16", "192.0.0.8", "192.0.0.170", "192.0.0.10", "192.88.99.1", "192.31.196.1", "192.52.193.1",
    "192.175.48.1", "[3fff::1]", "[3fff:fff:ffff::1]", "[5f00::1]", "[100::1]", "[2001:4:112::1]", "[2620:4f:8000::1]",
    "[::ffff:168.63.129.16]", "[2002:a83f:8110::]", "[64:ff9b::168.63.129.16]", "[64:ff9b::c000:8]", "[::7f00:1]",
    "[2001:20::1]", "[2001:30::1]", "[2001:1::1]", "198.18.0.1", "198.51.100.1", "203.0.113.1", "[2002:c058:6301::]",
    "[2002:7f00:1::]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "[2001:db8::1]",
]  # fmt: skip
FORBIDDEN_URLS = [
    "file:///etc/passwd", "gopher://panel.example/", "ftp://panel.example/", "panel.example/api", "", "http://",
    "http:///api", "https://user@panel.example/", "https://user:pass@panel.example/",
    "https://panel.example:22/", "https://panel.example:5432/", "https://panel.example:0/", "https://panel.example:99999/",
    "https://panel.example/a b", "https://panel.example\\@127.0.0.1/", "https://panel.example/\r\nHost: x",
    "//panel.example",
]  # fmt: skip


@pytest.mark.parametrize("host", FORBIDDEN_HOSTS)
def test_this_machine_and_private_ranges_are_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(AddressNotAllowed, match="Use a public address"):
        check_address(f"https://{host}/api/v2", allow_private=False)
    check_address(f"https://{host}/api/v2", allow_private=True)


@pytest.mark.parametrize("url", FORBIDDEN_URLS)
def test_only_plain_web_addresses_are_allowed(url: str) -> None:
    for allow_private in (False, True):
        with pytest.raises(AddressNotAllowed):
            check_address(url, allow_private=allow_private)


@pytest.mark.parametrize(
    "url",
    ["https://panel.example/api/v2", "http://panel.example:8080/", "https://1.1.1.1/", "https://[2606:4700::1111]/",
     "https://[64:ff9b::1.1.1.1]/", "https://münchen.example/", "HTTPS://PANEL.EXAMPLE", "https://panel.example:8443/a?b=c"],
)  # fmt: skip
def test_a_public_web_address_is_allowed(url: str) -> None:
    check_address(url, allow_private=False)


def test_a_refused_address_is_a_request_that_was_not_sent() -> None:
    assert issubclass(AddressNotAllowed, NotSent)


PRIVATE_RANGES = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"]


def spellings(number: int) -> list[str]:
    """Ways to write an IPv4 address in a URL, as the resolver would read them."""
    a, b, c, d = number.to_bytes(4, "big")
    high, low = number >> 16, number & 0xFFFF
    return [
        f"{a}.{b}.{c}.{d}", f"{number}", f"0x{number:x}", f"0{number:o}", f"0X{number:08X}", f"{a}.{number & 0xFFFFFF}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}", f"{a}.{b}.{low}", f"{a}.0x{b:x}.0{c:o}.{d}",
        f"{a}.{b}.{c}.{d}.", f"[::ffff:{a}.{b}.{c}.{d}]", f"[::ffff:{high:x}:{low:x}]", f"[64:ff9b::{high:x}:{low:x}]",
        f"[2002:{high:x}:{low:x}::1]", f"[::{high:x}:{low:x}]",
    ]  # fmt: skip


def test_no_spelling_of_a_private_address_gets_through() -> None:
    chance = random.Random(15)
    for _ in range(60):
        for network in map(ipaddress.ip_network, PRIVATE_RANGES):
            number = int(network.network_address) + chance.randrange(network.num_addresses)
            for host in spellings(number):
                with pytest.raises(AddressNotAllowed):
                    check_address(f"https://{host}/", allow_private=False)


def test_an_address_that_wraps_a_public_one_is_public() -> None:
    for address in ("::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"):
        assert is_public(ipaddress.ip_address(address))
