"""Pretend gateways: real HTTP servers on loopback that check requests and sign webhooks as the real gateways do."""

from __future__ import annotations

import html
import http.client
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from storefront.payments.gateway import Customer, Gateway, PaymentDetails, Urls, Webhook

REFERENCE = "ABCD-EFGH-2345"
CUSTOMER = Customer(
    number=7,
    email="nadia@example.com",
    name="Nadia Karim",
    phone="+15550100",
    tax_id="12345678909",
    address="1 Example Street",
    ip="203.0.113.7",
    country="US",
)
URLS = Urls(
    webhook="https://shop.example/wallet/add-funds/webhooks/1-token/",
    done="https://shop.example/wallet/payments/ABCD-EFGH-2345/return/",
    canceled="https://shop.example/wallet/add-funds/",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request that reached the pretend gateway."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body or b"null")

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


@dataclass(slots=True, kw_only=True)
class Opened:
    """A payment that the shop opened at the pretend gateway."""

    id: str
    reference: str
    amount: Decimal
    currency: str
    webhook_url: str = ""
    done_url: str = ""
    state: str = "pending"
    facts: dict[str, Any] = field(default_factory=dict)


class PretendGateway(ABC):
    """One pretend gateway. Subclasses say how its API answers and how its webhooks are signed."""

    name: ClassVar[str]
    #: The configuration of the payment method in the shop.
    config: ClassVar[Mapping[str, str]] = {}
    #: A currency that it can be paid in.
    currency: ClassVar[str] = "USD"
    #: What its webhooks can report; some gateways tell of paid payments only.
    states: ClassVar[frozenset[str]] = frozenset({"pending", "paid", "declined"})

    def __init__(self) -> None:
        self.received: list[Received] = []
        #: By the gateway's own number.
        self.opened: dict[str, Opened] = {}
        #: The address entered in the gateway's dashboard, where ``start`` does not send one.
        self.registered_url = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def page_url(self, opened: Opened) -> str:
        """Return the address of the pretend payment page, to which the shop sends the customer."""
        return f"{self.url}/pay/{opened.id}"

    # --- to be written for each gateway --------------------------------------------------------------------------

    @abstractmethod
    def answer(self, request: Received) -> tuple[int, Any]:
        """Return the status and body of an API call: a dict is sent as JSON, a str as text/plain.

        A payment that was opened by following a signed link is returned itself: the customer goes to its page.

        Requests whose signature or key is wrong get the error of the real gateway.
        """

    @abstractmethod
    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,
        is_test: bool = False,
        secret: str | None = None,
    ) -> Webhook:
        """Return a webhook about ``payment`` as the gateway sends it, and make the API say the same.

        Args:
            state: "pending", "paid", "declined", and where the gateway has them "refunded", "disputed",
                "charged_back", "dispute_won".
            amount, currency: What came, instead of what was asked.
            entry: Distinguishes two payments (captures, deposits) of one invoice.
            receiver: Another merchant's number instead of ours, where the webhook names one.
            is_test: With the gateway's test flag.
            secret: Signed with this secret instead of the right one.
        """

    # --- the customer at the gateway's page ----------------------------------------------------------------------

    def pay(self, opened: Opened, *, state: str = "paid", **changes: Any) -> int:
        """Pay (or decline) as the customer does on the payment page. Returns the status of the shop's answer."""
        details = PaymentDetails(
            reference=opened.reference,
            number=int(opened.facts.get("number", 0)),
            amount=opened.amount,
            currency=opened.currency,
            description="",
            upstream_id=opened.id,
        )
        return self.deliver(self.webhook(details, state=state, **changes), opened.webhook_url or self.registered_url)

    def deliver(self, webhook: Webhook, url: str) -> int:
        """Send ``webhook`` to the shop and return the status of the answer."""
        parts = urlsplit(url)
        query = urlencode([*parse_qsl(parts.query), *webhook.query.items()])
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        try:
            path = parts.path + (f"?{query}" if query else "")
            connection.request(webhook.method, path, webhook.body, dict(webhook.headers))
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            connection.close()


def details(gateway: Gateway | None = None, **changes: Any) -> PaymentDetails:
    """Return a payment for tests without a database."""
    facts: dict[str, Any] = {
        "reference": REFERENCE,
        "number": 42,
        "amount": Decimal("12.34"),
        "currency": "USD",
        "description": "Add funds",
    }
    return PaymentDetails(**(facts | changes))


def _handler(gateway: PretendGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            if parts.path == "/favicon.ico":  # browsers ask for it
                self._send(200, b"", "image/png")
                return
            if parts.path.startswith("/pay/"):
                self._page(parts.path.removeprefix("/pay/").strip("/"))
                return
            request = Received(
                method=self.command, path=parts.path, query=query, headers=dict(self.headers.items()), body=body
            )
            gateway.received.append(request)
            status, answer = gateway.answer(request)
            if isinstance(answer, Opened):
                self.send_response(303)
                self.send_header("Location", f"/pay/{answer.id}")
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif isinstance(answer, str):
                self._send(status, answer.encode(), "text/plain; charset=utf-8")
            else:
                self._send(status, json.dumps(answer).encode(), "application/json")

        do_GET = do_POST = _serve

        def _page(self, number: str) -> None:
            opened = gateway.opened[number]
            if self.command == "POST":
                gateway.pay(opened)
                if not opened.done_url:
                    self._send(200, b"<!doctype html><title>Paid</title>", "text/html; charset=utf-8")
                    return
                self.send_response(303)
                self.send_header("Location", opened.done_url)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            title = html.escape(f"Pay {opened.amount} {opened.currency}")
            page = f"<!doctype html><title>{title}</title><form method=post><button>{title}</button></form>"
            self._send(200, page.encode(), "text/html; charset=utf-8")

        def _send(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Print nothing."""

    return Handler
