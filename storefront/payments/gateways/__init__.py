"""The registry of gateways: one line for each."""

from storefront.payments.gateway import Gateway
from storefront.payments.gateways.demo import Demo
from storefront.payments.gateways.manual import Manual

GATEWAYS: dict[str, Gateway] = {gateway.name: gateway for gateway in (Manual(), Demo())}


def ready() -> list[Gateway]:
    """Those that have what they need."""
    return [gateway for gateway in GATEWAYS.values() if gateway.is_ready()]


def find(name: str) -> Gateway | None:
    """The gateway ``name``, if it is known and has what it needs."""
    gateway = GATEWAYS.get(name)
    return gateway if gateway and gateway.is_ready() else None
