"""IP addresses: parse the allowed addresses of a key, and find the address of a request. No database queries."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Maximum number of lines: more than any customer's servers need, and few enough to check on every call.
LINES_MAX = 50
#: IPv4-mapped IPv6 addresses, as IPv6 programs write IPv4 addresses: ::ffff:203.0.113.7
MAPPED = IPv6Network("::ffff:0:0/96")


class BadLine(ValueError):
    """A line is neither an address nor a network. ``number`` counts from 1."""

    def __init__(self, number: int, line: str) -> None:
        super().__init__(f'line {number} is not an IP address or network: "{line}"')
        self.number = number
        self.line = line


class TooManyLines(ValueError):
    def __init__(self) -> None:
        super().__init__(f"more than {LINES_MAX} lines")


def parse(text: str) -> tuple[Network, ...]:
    """Return the distinct networks in ``text``, one per line; a single address is a network of one address.

    Raises:
        BadLine: The first line that cannot be read. It is a ValueError.
        TooManyLines: There are more than ``LINES_MAX`` lines. It is a ValueError.
    """
    networks: dict[Network, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            networks[_network(line.strip())] = None
        except ValueError:
            raise BadLine(number, line.strip()[:60]) from None
        if len(networks) > LINES_MAX:
            raise TooManyLines
    return tuple(networks)


def to_text(networks: tuple[Network, ...]) -> str:
    """Return ``networks`` in the stored format: one per line, single addresses without their /32 or /128."""
    return "\n".join(
        str(network.network_address if network.num_addresses == 1 else network.compressed) for network in networks
    )


def allows(text: str, address: str) -> bool:
    """Return whether a key with these allowed addresses may be used from ``address``.

    An empty text allows every address. A text or address that cannot be read allows nothing: a restriction never fails
    open.
    """
    if not text.strip():
        return True
    try:
        networks, caller = _networks(text), _address(address)
    except ValueError:
        return False
    return any(caller in network for network in networks)


def client_address(request: HttpRequest) -> str:
    """Return the address from which the request came, or "" if it is unknown.

    Behind our own proxy that is the last entry of X-Forwarded-For, which the proxy itself has written. Everything
    before it was sent by the client and may be forged.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY and "HTTP_X_FORWARDED_FOR" in request.META:
        address = request.META["HTTP_X_FORWARDED_FOR"].rpartition(",")[2]
    return _normalized(address)


def rate_limit_address(address: str) -> str:
    """Return the address by which calls are counted.

    For IPv6 that is the /64, because everybody is given at least a /64.
    """
    if ":" not in address:
        return address
    return str(IPv6Network((address, 64), strict=False).network_address)


# Cached, because programs call from the same few addresses again and again.
@lru_cache(maxsize=1024)
def _normalized(text: str) -> str:
    """Return the address in ``text``, which may have a port, in its usual notation; "" if it cannot be read."""
    try:
        return str(_address(_without_port(text.strip())))
    except ValueError:
        return ""


@lru_cache(maxsize=1024)
def _networks(text: str) -> tuple[Network, ...]:
    return parse(text)


def _network(text: str) -> Network:
    """Parse a network; 198.51.100.7/24 means the network that contains it. Raises ValueError."""
    if "%" in text:
        raise ValueError("a zone belongs to one machine")
    network = ip_network(text, strict=False)
    if isinstance(network, IPv6Network) and network.prefixlen >= MAPPED.prefixlen and network.subnet_of(MAPPED):
        v4 = network.network_address.ipv4_mapped
        return IPv4Network((str(v4), network.prefixlen - MAPPED.prefixlen))
    return network


def _address(text: str) -> Address:
    """Parse an address. Raises ValueError.

    The zone of a local address (fe80::1%eth0) is dropped, because it has no meaning on another machine.
    """
    address = ip_address(text.partition("%")[0])
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _without_port(text: str) -> str:
    """Remove the port that some proxies add, as in 203.0.113.7:50123 and [2001:db8::7]:50123."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
