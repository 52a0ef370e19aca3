"""A panel simulator of the TopListBot kind: JSON both ways, a token, numbers for numbers, and lower-case words."""

from __future__ import annotations

from decimal import Decimal

from providers.panels.simulators.orders import PanelService, SimulatedOrder, StatusNames
from providers.panels.simulators.panel import Panel
from providers.panels.simulators.reading import FAMILY_ERRORS, Fields, Received, Refusal, Violation, json_object
from providers.panels.simulators.server import Reply

NUMBERS = frozenset({"service", "quantity", "interval"})


class Toplistbot(Panel):
    """Knows orders only by lists, leaves out the ids it does not know, and cancels at once with a refund.

    The document does not say where the token goes: a bearer token and ``key`` in the body are both taken, and must
    agree where both are sent.
    """

    encodings = {"POST": "json"}
    statuses = StatusNames("pending", "in progress", "completed", "partial", "canceled")
    first_id = 123
    verbs = {
        "services": Fields(),
        "balance": Fields(),
        "add": Fields(),
        "status": Fields(("orders",)),
        "cancel": Fields(("orders",)),
    }
    add_fields = {"Default": Fields(("service", "link", "quantity"), optional=("interval",))}
    errors = {
        **FAMILY_ERRORS,
        "key": (401, "Unauthorized access to order status"),
        "action": (400, "Invalid action"),
        "funds": (402, "Not enough funds on balance"),
        "cancel": (422, "Order already completed and cannot be canceled"),
    }
    catalog = (
        PanelService(1, "Server list votes", "Default", "Votes", Decimal("10.0"), 1, 50_000, cancel=True),
        PanelService(2, "Contest votes", "Default", "Votes", Decimal("14.5"), 10, 20_000, cancel=True),
        PanelService(3, "Server list votes, slow and steady", "Default", "Votes", Decimal("7.25"), 100, 100_000),
    )

    def key_of(self, request: Received) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        bearer = token.strip() if scheme.lower() == "bearer" else ""
        in_body = request.params.get("key", bearer)
        return in_body if in_body == (bearer or in_body) else ""

    def check(self, request: Received) -> None:
        """Check as other panels do, and that values have the JSON types of the examples."""
        super().check(request)
        for name, value in json_object(request.body).items():
            if type(value) is not (int if name in NUMBERS else str):
                raise Violation(f"{request.verb} has {name} as {type(value).__name__}", field=name)

    def refuse(self, refusal: Refusal) -> Reply:
        """Return the answer to a rejected request, which names the errors by field."""
        if refusal.reason not in ("request", "service", "minimum", "maximum"):
            return super().refuse(refusal)
        field = refusal.field or "request"
        texts = {
            "minimum": f"The {field} must be at least {refusal.number}.",
            "maximum": f"The {field} may not be greater than {refusal.number}.",
        }
        is_missing = isinstance(refusal, Violation) and refusal.is_missing
        text = texts.get(
            refusal.reason, f"The {field} field is required." if is_missing else f"The {field} is invalid."
        )
        return Reply.of({"errors": {field: [text]}}, 422)

    def funds(self, params: dict[str, str]) -> object:
        return {"balance": float(self.balance), "currency": self.currency}

    def added(self, order: SimulatedOrder) -> object:
        return {"order_id": int(order.id)}

    def service_row(self, service: PanelService) -> dict[str, object]:
        return super().service_row(service) | {
            "rate": float(service.rate),
            "min": service.min,
            "max": service.max,
        }

    def status_row(self, order: SimulatedOrder) -> dict[str, object]:
        return {
            "charge": 0,
            "start_count": order.start_count,
            "status": order.status,
            "remains": order.remains,
            "currency": self.currency,
        }

    def status_rows(self, rows: dict[str, dict[str, object] | None]) -> object:
        """Return the answer about many orders, without the unknown ids."""
        return {asked: row for asked, row in rows.items() if row}

    def cancel(self, params: dict[str, str]) -> object:
        known = [asked for asked in self.split(params, "orders") if asked in self.book.orders]
        return [self._cancel_row(asked) for asked in known]

    def _cancel_row(self, order_id: str) -> dict[str, object]:
        try:
            self.request_cancel(order_id)
        except Refusal as refusal:
            return {"order": order_id, "cancel": {"error": self.errors[refusal.reason][1]}}
        refund = self.book.end_early(self.book.find(order_id))
        return {"order": order_id, "cancel": 1, "refund": float(refund)}
