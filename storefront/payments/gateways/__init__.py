"""The registry of payment gateways. To add a gateway, add it to ``GATEWAYS``."""

from storefront.payments.gateway import Gateway
from storefront.payments.gateways.demo import Demo
from storefront.payments.gateways.manual import Manual

GATEWAYS: dict[str, Gateway] = {gateway.name: gateway for gateway in (Manual(), Demo())}


def ready() -> list[Gateway]:
    """Return the gateways whose settings are complete."""
    return [gateway for gateway in GATEWAYS.values() if gateway.is_ready()]


def find(name: str) -> Gateway | None:
    """Return the gateway ``name`` if it exists and its settings are complete."""
    gateway = GATEWAYS.get(name)
    return gateway if gateway and gateway.is_ready() else None
