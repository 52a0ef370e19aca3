"""A panel simulator of the older standard kind: drip-feed, single refills, no cancellation. Only declarations."""

from __future__ import annotations

from decimal import Decimal

from providers.panels.simulators.orders import PanelService
from providers.panels.simulators.panel import Panel
from providers.panels.simulators.reading import Fields

PHOTO, VIDEO, TALK = "Photo network", "Video platform", "Messenger"


class Smpanelim(Panel):
    """Lists comments without documenting how to order them; it takes them as the family does."""

    currency = "TRY"
    verbs = {
        "services": Fields(),
        "balance": Fields(),
        "add": Fields(),
        "status": Fields(either=("order", "orders")),
        "refill": Fields(("order",)),
        "refill_status": Fields(("refill",)),
    }
    add_fields = {
        "Default": Fields(("service", "link", "quantity"), together=("runs", "interval")),
        "Package": Fields(("service", "link")),
        "Custom Comments": Fields(("service", "link", "comments", "quantity")),
    }
    catalog = (
        PanelService(1, "Photo followers, worldwide", "Default", PHOTO, Decimal("36.40"), 50, 10_000, refill=True),
        PanelService(2, "Photo comments, your text", "Custom Comments", PHOTO, Decimal("320"), 10, 1_500),
        PanelService(3, "Photo likes, fast", "Default", PHOTO, Decimal("9.75"), 10, 50_000),
        PanelService(4, "Photo story views", "Default", PHOTO, Decimal("2.20"), 100, 100_000),
        PanelService(5, "Video views", "Default", VIDEO, Decimal("18.60"), 500, 1_000_000),
        PanelService(6, "Video subscribers", "Default", VIDEO, Decimal("480"), 50, 5_000, refill=True),
        PanelService(7, "Channel members", "Default", TALK, Decimal("54.15"), 100, 30_000, refill=True),
        PanelService(8, "Channel post views", "Default", TALK, Decimal("0.85"), 50, 500_000),
        PanelService(9, "Profile launch, complete", "Package", PHOTO, Decimal("249.90"), 1, 1),
    )

    def service_row(self, service: PanelService) -> dict[str, object]:
        """Return the row as other panels write it, without the flag for cancellation."""
        row = super().service_row(service)
        del row["cancel"]
        return row
