"""A panel simulator of the TmSMM kind: hexadecimal order ids, and an answer about many orders that is not JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from providers.panels.simulators.orders import PanelService, SimulatedOrder, StatusNames
from providers.panels.simulators.panel import Panel
from providers.panels.simulators.reading import Fields
from providers.panels.simulators.server import Reply

FIRST_ID, ID_STEP = 0x65AE5538AFDD1, 0x2A5D7  # ids are moments in microseconds: rising, with gaps


class Tmsmm(Panel):
    """The examples are GET, the vendor's own class posts a form: both are answered alike.

    ``malformed_multi`` answers about many orders as the document prints it, ``["id": {...}]``; without it, as an
    object. A refill has the id of its order. Where examples and tables disagree on ``order``/``orders`` and
    ``refill``/``refills``, both names take a list.
    """

    currency = "RUB"
    encodings = {"GET": "query", "POST": "form"}
    statuses = StatusNames(pending="Awaiting")
    most_ids = 100
    verbs = {
        "services": Fields(),
        "balance": Fields(),
        "add": Fields(),
        "status": Fields(either=("order", "orders")),
        "refill": Fields(either=("order", "orders")),
        "refill_status": Fields(either=("refill", "refills")),
    }
    add_fields = {
        "Default": Fields(("service", "link", "quantity")),
        "Poll": Fields(("service", "link", "quantity", "answer_number")),
        "Custom Comments": Fields(("service", "link", "comments"), optional=("quantity",)),
    }
    catalog = (
        PanelService(
            117, "Channel members, premium", "Default", "Channels", Decimal("1890.00"), 10, 30_000, cancel=True
        ),
        PanelService(
            118, "Channel members, economy", "Default", "Channels", Decimal("164.00"), 50, 100_000, refill=True
        ),
        PanelService(121, "Post views, last five", "Default", "Posts", Decimal("12.50"), 100, 500_000),
        PanelService(122, "Post reactions, positive", "Default", "Posts", Decimal("38.00"), 10, 50_000, cancel=True),
        PanelService(130, "Contest votes", "Poll", "Polls", Decimal("72.00"), 10, 20_000),
        PanelService(131, "Contest votes, one country", "Poll", "Polls", Decimal("240.00"), 10, 5_000, cancel=True),
        PanelService(140, "Comments, your text", "Custom Comments", "Comments", Decimal("2400.00"), 5, 500),
        PanelService(151, "Bot starts", "Default", "Bots", Decimal("96.00"), 50, 20_000, refill=True, cancel=True),
    )

    def __init__(self, *, malformed_multi: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self.malformed_multi = malformed_multi

    def order_id(self, number: int) -> str:
        return f"{FIRST_ID + (number - 1) * ID_STEP:013x}"

    def refill_id(self, order: SimulatedOrder) -> str:
        return order.id

    def number(self, text: str) -> int | str:
        """Ids are always text."""
        return text

    def service_row(self, service: PanelService) -> dict[str, object]:
        return super().service_row(service) | {"min": service.min, "max": service.max}

    def status_rows(self, rows: dict[str, dict[str, object] | None]) -> object:
        """Return the answer about many orders; an unknown id has a bare text."""
        reply = Reply.of({asked: row or "Incorrect order ID" for asked, row in rows.items()})
        return Reply(b"[" + reply.body[1:-1] + b"]") if self.malformed_multi else reply

    def refill(self, params: dict[str, str]) -> object:
        return super().refill(_plural(params, "order"))

    def refill_status(self, params: dict[str, str]) -> object:
        return super().refill_status(_plural(params, "refill"))


def _plural(params: dict[str, str], name: str) -> dict[str, str]:
    """Return the parameters with a list that came under the singular name moved to the plural one."""
    if "," not in params.get(name, ""):
        return params
    return {f"{name}s" if field == name else field: value for field, value in params.items()}
