"""The rules for addresses we may connect to, for URLs as they are entered and for resolved IP addresses.

Pure. Host names are resolved, and the result is checked again, when connecting (``wire.resolve``).
"""

from __future__ import annotations

import ipaddress
import socket

from django.utils.translation import gettext as _
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url  # the same parser as the sender's, so that a URL cannot mean two things

from providers.errors import AddressNotAllowed

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Special-purpose ranges that ``is_global`` treats as global in some Python version we support. Source: the IANA
#: registries (IPv4: RFC 6890, IPv6: RFC 6890 and 9637).
SPECIAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # the host of every virtual machine at Azure, with metadata and DNS
        "192.0.0.0/24",  # protocol assignments: DS-Lite, PCP and TURN anycast, NAT64 discovery
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays, withdrawn
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "::/96",  # IPv4-compatible addresses, withdrawn
        "64:ff9b:1::/48",  # NAT64 of a network's own
        "100::/64",  # discard
        "2001::/23",  # protocol assignments: Teredo, ORCHID, AMT, AS112
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
    )
)
# Below 1024, only the ports of web servers. Above, everything except ports of databases, queues and remote desktops.
WEB_PORTS = frozenset({80, 443})
OTHER_PORTS = frozenset(
    {1433, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 5432, 5672, 5900, 5984, 6379, 9200, 11211, 27017}
)


def check_address(url: str, *, allow_private: bool) -> None:
    """Raise AddressNotAllowed unless we may connect to ``url``; the message says what to enter instead.

    A host name is not resolved here. What it resolves to is checked when connecting.
    """
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise AddressNotAllowed(_("Enter a full URL, for example https://panel.example/api/v2.")) from None
    if parts.scheme not in ("http", "https"):
        raise AddressNotAllowed(_("The URL must start with https:// or http://."))
    if not parts.host or any(character <= " " or character == "\\" for character in url):
        raise AddressNotAllowed(_("The URL has no host. Enter a full URL, for example https://panel.example/api/v2."))
    if parts.auth is not None:
        raise AddressNotAllowed(_("Remove the part before the @. The API key has its own field."))
    if parts.port is not None and not is_web_port(parts.port):
        raise AddressNotAllowed(_("Port %s is not allowed. Use the port in the provider's documentation.") % parts.port)
    if not allow_private:
        check_host(parts.host)


def origin(url: str) -> tuple[str, str, int | None]:
    """Return the scheme, host and port of ``url``, which decide who receives a request; default ports are filled in.

    Raises:
        AddressNotAllowed: ``url`` is not a URL.
    """
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise AddressNotAllowed(_("Enter a full URL, for example https://panel.example/api/v2.")) from None
    scheme = parts.scheme or ""
    return scheme, (parts.host or "").lower(), parts.port or {"http": 80, "https": 443}.get(scheme)


def check_host(host: str) -> None:
    """Raise AddressNotAllowed if the host itself, in any spelling, names this machine or a private range."""
    name = host.strip("[]").rstrip(".").lower()
    address = literal(name)
    if name == "localhost" or name.endswith(".localhost") or (address is not None and not is_public(address)):
        raise AddressNotAllowed(_("%s is on this machine or in a private network. Use a public address.") % name)


def is_web_port(port: int) -> bool:
    return port in WEB_PORTS or (1024 <= port <= 65535 and port not in OTHER_PORTS)


def literal(host: str) -> IPAddress | None:
    """Return the IP address that ``host`` spells, also in the decimal, octal and hex forms of the resolver, or None."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def is_public(address: IPAddress) -> bool:
    """Return whether the address is public; an IPv6 address that contains an IPv4 address is judged by the latter."""
    inner = wrapped(address)
    if inner is not None:
        return is_public(inner)
    if any(address in network for network in SPECIAL):
        return False
    is_site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or is_site_local)


def wrapped(address: IPAddress) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address inside a mapped, 6to4 or NAT64 address, or None. Teredo is never public."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
