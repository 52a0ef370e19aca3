"""A panel simulator of the TZSMM Pay kind: licenses by email, everything in the query, HTTP codes for errors."""

from __future__ import annotations

import re
from decimal import Decimal

from providers.panels.simulators.orders import PanelService, SimulatedOrder, plain
from providers.panels.simulators.panel import Panel
from providers.panels.simulators.reading import FAMILY_ERRORS, Fields, Violation


class Tzsmmpay(Panel):
    """Sells packages: one email address buys one license at a flat price, without a quantity."""

    path = "/api/smmpanel/v1"
    encodings = {"GET": "query"}
    verbs = {
        "services": Fields(),
        "balance": Fields(),
        "add": Fields(),
        "status": Fields(either=("order", "orders")),
    }
    add_fields = {"Package": Fields(("service", "link"))}
    errors = {
        **FAMILY_ERRORS,
        "key": (401, "Invalid API key"),
        "request": (400, "Incorrect request"),
        "action": (400, "Incorrect request"),
        "service": (400, "Incorrect request"),
        "order": (404, "Invalid order ID"),
        "funds": (402, "You don't have sufficient balance"),
    }
    catalog = (
        PanelService(2, "Office license, monthly", "Package", "Licenses", Decimal("0.56"), 1, 1),
        PanelService(3, "Office license, yearly", "Package", "Licenses", Decimal("5.40"), 1, 1),
        PanelService(5, "Payment plugin, monthly", "Package", "Plugins", Decimal("1.25"), 1, 1),
        PanelService(6, "Payment plugin, lifetime", "Package", "Plugins", Decimal("24.00"), 1, 1),
    )

    def start_count(self, number: int) -> int:
        return 0

    def add(self, params: dict[str, str]) -> object:
        link = params.get("link", "")
        if link and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", link):
            raise Violation(f"add needs an e-mail address as its link, not {link!r}", field="link")
        return super().add(params)

    def funds(self, params: dict[str, str]) -> object:
        return {"currency": self.currency, "balance": plain(self.balance)}

    def service_row(self, service: PanelService) -> dict[str, object]:
        return {
            "service": service.id,
            "name": service.name,
            "type": service.type,
            "category": service.category,
            "min": service.min,
            "max": service.max,
            "rate": float(service.rate),
            "currency": self.currency,
        }

    def status_row(self, order: SimulatedOrder) -> dict[str, object]:
        return super().status_row(order) | {"start_count": order.start_count, "remains": order.remains}
