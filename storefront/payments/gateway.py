"""The interface of payment gateways and the types that they exchange with the shop.

``docs/payments.md`` shows how to add a gateway. A gateway builds requests and reads answers; it knows no models, writes
no rows and moves no money. ``crediting`` and ``reversing`` do that from what the gateway returns here.

The names follow the card industry: the *customer* pays a *payment*; one payment can be received in several *entries*,
such as two crypto deposits to one address, and after it was credited it can be refunded, disputed or charged back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

from django.conf import settings
from django.utils.functional import Promise

from storefront.payments.wire import exact_json
from storefront.payments.wire.http import GatewayAnswer, redact, send

Text = str | Promise


# --- errors ------------------------------------------------------------------------------------------------------


class GatewayError(Exception):
    """Base class of gateway errors. The text is logged and shown to staff, so it must not contain secrets."""


class WebhookRejected(GatewayError):
    """A webhook that is not proven to come from the gateway, or whose content is not understood."""


class GatewayUnreachable(GatewayError):
    """The gateway did not answer, or its answer lacks what is needed. Whether it did something is not known."""


class GatewayRejected(GatewayError):
    """The gateway refused the request and did nothing. The text is the gateway's reason."""


# --- configuration -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigField:
    """A value that the operator enters to set up a gateway, such as an API key.

    A secret is stored encrypted and never shown again. A value that is known later, because the gateway shows it only
    after the webhook URL was entered there, can be added after saving; until then customers do not see the method.
    ``choices`` are pairs of value and label; the first one is the default.
    """

    name: str
    label: Text
    help_text: Text = ""
    is_secret: bool = False
    is_required: bool = True
    is_known_later: bool = False
    is_multiline: bool = False
    choices: tuple[tuple[str, Text], ...] = ()


class CustomerField(Enum):
    """A fact about the customer that a gateway requires and the "Add funds" page asks for."""

    NAME = "name"
    PHONE = "phone"
    TAX_ID = "tax_id"
    ADDRESS = "address"


# --- what the shop tells the gateway -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDetails:
    """The facts of a payment that gateways see.

    Args:
        reference: Ours, unique, in the form ``XXXX-XXXX-XXXX`` (capital letters and digits).
        number: The row's primary key, for gateways that require an integer.
        amount: What the customer has to pay, in ``currency``; it has no more decimals than the currency.
        upstream_id: The gateway's number of the payment, as returned by ``start`` or a report; "" before.
        data: What ``start`` and later reports asked to keep, such as the number of a capture.
    """

    reference: str
    number: int
    amount: Decimal
    currency: str
    description: str
    upstream_id: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def compact_reference(self) -> str:
        """The reference without dashes, for gateways that accept letters and digits only."""
        return self.reference.replace("-", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """The facts about the customer at the start of a payment. Fields that are not in ``customer_fields`` may be "".

    Args:
        ip: The IPv4 address of the browser, or "" if it has none.
        country: ISO 3166 code of two letters, or "".
        language: Code of the interface language, such as ``tr``.
    """

    number: int
    email: str
    name: str = ""
    phone: str = ""
    tax_id: str = ""
    address: str = ""
    ip: str = ""
    country: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    """Our absolute URLs for one payment.

    Args:
        webhook: Where the gateway reports. It contains a random token of the payment method.
        done: Where the customer returns; it calls ``read_return`` and then shows the payment.
        canceled: Where the customer returns without paying: the "Add funds" page.
    """

    webhook: str
    done: str
    canceled: str


# --- what the gateway answers ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Send the customer to a page of the gateway: https at one of its hosts, or a path of the shop."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Show the gateway's form in an iframe on the payment's page. ``url`` is https at one of ``frame_hosts``."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Show what to transfer, and where, on the payment's page, each value with a copy button.

    Args:
        rows: Pairs of label and value, in the order shown, such as the address, the network and the memo.
        amount: The exact amount to transfer as text, if it differs from the payment's amount (such as "0.0012").
        currency: The currency or coin of ``amount``.
        qr_text: The text of the QR code, or "" for none.
        instructions: Plain text above the rows.
    """

    rows: Sequence[tuple[Text, str]] = ()
    amount: str = ""
    currency: str = ""
    qr_text: str = ""
    instructions: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The customer's next step after ``start``.

    Args:
        action: What the customer sees.
        upstream_id: The gateway's number of the payment, if it is known already.
        data: Texts to keep with the payment and to hand back in ``PaymentDetails.data``. No secrets.
        expires_at: When the gateway ends the payment, if it says so.
        is_waiting: Whether the next step is the gateway's. False if the customer has to prove the payment.
    """

    action: Redirect | Frame | Details
    upstream_id: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None
    is_waiting: bool = True


class ReportedState(Enum):
    """What a gateway reports about a payment. Any other event is irrelevant: ``read_webhook`` returns None."""

    #: Opened, or seen but not confirmed. Nothing is credited.
    PENDING = "pending"
    #: ``amount`` has arrived for good.
    PAID = "paid"
    #: The payment failed, was canceled or expired. A later PAID still counts.
    DECLINED = "declined"
    #: ``amount`` was given back to the customer.
    REFUNDED = "refunded"
    #: The customer disputes the payment; nothing has moved yet.
    DISPUTED = "disputed"
    #: The gateway took ``amount`` back.
    CHARGED_BACK = "charged_back"
    #: The dispute was decided in the shop's favor; what was taken back returns.
    DISPUTE_WON = "dispute_won"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayReport:
    """Proven facts about one payment, as the gateway states them.

    They are proven by a signature or because they answer our own request. The payment is looked up by ``reference``,
    then ``number``, then ``upstream_id``; at least one is given.

    Args:
        state: What happened.
        reference: Ours, with or without dashes.
        number: ``PaymentDetails.number``, for gateways that return only that.
        upstream_id: The gateway's number of the payment (invoice, session, order).
        entry_id: The gateway's number of this single movement of money (capture, deposit, refund, dispute). The same
            one may be reported again with a larger amount: the difference is new. Default: ``upstream_id``.
        amount: What was received, refunded or charged back in total under ``entry_id``, in ``currency``. None if the
            gateway's proof does not cover the amount, or if it only ever reports full payments.
        currency: Upper case. "" if the proof does not cover it: then it is the currency of the payment.
        fee: What the gateway kept, in ``fee_currency``, if it says so. For the books only.
        data: Texts to keep with the payment, such as a capture number that later refunds name.
        is_test: Whether the gateway marks the payment as a test. It is then never credited on a live payment method.
        note: What the gateway said in its own words, for staff, such as "wrong_amount_waiting".
    """

    state: ReportedState
    reference: str = ""
    number: int | None = None
    upstream_id: str = ""
    entry_id: str = ""
    amount: Decimal | None = None
    currency: str = ""
    fee: Decimal | None = None
    fee_currency: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    is_test: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One request of a gateway, as it arrived. Names of headers are looked up regardless of case.

    Args:
        form: The fields of a urlencoded or multipart body, or {} for other bodies. Each name once, the first value.
        query: The fields of the query string without ours.
        url: Our own absolute URL as registered at the gateway, for gateways that sign it.
        ip: The sender's address.
    """

    method: str
    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    url: str = ""
    ip: str = ""

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")

    def json(self) -> dict[str, Any]:
        """Return the JSON object in the body; its numbers are ``exact_json.Number``, texts exactly as sent.

        Raises:
            WebhookRejected: The body is not a JSON object.
        """
        try:
            data = exact_json.loads(self.body)
        except ValueError:
            raise WebhookRejected("the body is not JSON") from None
        if not isinstance(data, dict):
            raise WebhookRejected("the body is not a JSON object")
        return data


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What the gateway wants to read after a webhook that was processed."""

    body: str = '{"status":"ok"}'
    content_type: str = "application/json"


class RefundState(Enum):
    DONE = "done"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundResult:
    """The gateway accepted a refund. ``refund_id`` is its number, and the ``entry_id`` of later reports about it."""

    state: RefundState
    refund_id: str = ""


# --- the gateway -------------------------------------------------------------------------------------------------


class Gateway(ABC):
    """A payment gateway with the configuration of one payment method.

    An instance belongs to one payment method of the shop; the class attributes describe the gateway itself. All
    methods are called outside of transactions and may send requests; none reads or writes the database.
    """

    #: Part of ledger references, accounts and URLs, so it must never change.
    name: ClassVar[str]
    label: ClassVar[Text]
    #: One sentence for operators who choose a gateway: who pays with it, and where.
    description: ClassVar[Text] = ""
    #: Name of the icon in the shop's icon set.
    icon: ClassVar[str] = "card"
    #: Shown as "beta" to operators: its signature could not be compared with the vendor's code.
    is_beta: ClassVar[bool] = False
    #: Currencies that customers can pay in. Empty: any.
    currencies: ClassVar[Sequence[str]] = ()
    config_fields: ClassVar[Sequence[ConfigField]] = ()
    customer_fields: ClassVar[Sequence[CustomerField]] = ()
    #: Base URL of the API, and of its test environment if there is one.
    api_url: ClassVar[str] = ""
    test_api_url: ClassVar[str] = ""
    #: Whether it has test payments although it has no ``test_api_url``, for example with test keys.
    has_test_keys: ClassVar[bool] = False
    #: Hosts to which customers are sent. ".example.com" allows every subdomain.
    hosts: ClassVar[Sequence[str]] = ()
    #: Hosts of ``Frame``.
    frame_hosts: ClassVar[Sequence[str]] = ()
    webhook_methods: ClassVar[Sequence[str]] = ("POST",)
    #: Networks from which the gateway sends webhooks, as an extra check the operator can switch on. Empty: unknown.
    webhook_networks: ClassVar[Sequence[str]] = ()
    #: Whether the operator has to enter the webhook URL at the gateway; False if ``start`` sends it along.
    is_webhook_registered: ClassVar[bool] = True
    #: Whether the customer sends a proof of payment that staff review, and a transaction number.
    takes_proofs: ClassVar[bool] = False
    takes_transaction_number: ClassVar[bool] = False
    #: What a transaction number consists of, after spaces and dashes were removed and letters made upper case.
    transaction_number_pattern: ClassVar[str] = r"[0-9A-Z]{4,40}"
    #: Whether ``query`` can find out the state of a payment, ``refund`` give money back, ``check`` test the keys.
    can_query: ClassVar[bool] = False
    can_refund: ClassVar[bool] = False
    can_check: ClassVar[bool] = False
    #: Whether amounts have no decimals there, whatever the currency, as with rupiah.
    has_whole_amounts: ClassVar[bool] = False
    #: Whether the gateway can receive another amount than asked, so that the operator chooses a policy for it.
    has_differences: ClassVar[bool] = False
    #: Time after which an unpaid payment ends. One that is paid later is credited nevertheless.
    expires_after: ClassVar[timedelta] = timedelta(days=1)

    def __init__(self, config: Mapping[str, str], *, is_test: bool = False) -> None:
        """Create the gateway of one payment method.

        Args:
            config: The values of ``config_fields``, by name. Those that the operator left out are "".
            is_test: Whether the method uses the gateway's test environment.
        """
        defaults = {one.name: one.choices[0][0] if one.choices else "" for one in self.config_fields}
        self.config: Mapping[str, str] = defaults | {key: value for key, value in config.items() if value}
        self.is_test = is_test

    @classmethod
    def is_available(cls) -> bool:
        """Return whether operators can choose this gateway."""
        return True

    @classmethod
    def has_test_mode(cls) -> bool:
        """Return whether a payment method can use a test environment of the gateway."""
        return bool(cls.test_api_url) or cls.has_test_keys

    @classmethod
    def has_webhooks(cls) -> bool:
        """Return whether the gateway sends webhooks."""
        return cls.read_webhook is not Gateway.read_webhook

    @abstractmethod
    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        """Open the payment at the gateway, after its row is committed. A repeated call must not charge twice.

        Raises:
            GatewayUnreachable: The gateway did not answer, or its answer lacks what is needed.
            GatewayRejected: The gateway refused, for example because of wrong keys or a too small amount.
        """

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        """Return the facts in a webhook after checking its proof; None if it is proven but changes nothing.

        A gateway whose webhooks prove nothing asks the gateway for the payment that the webhook names, and returns
        that answer.

        Raises:
            WebhookRejected: The webhook is not proven to come from the gateway, or its content is not understood.
            GatewayUnreachable: The gateway did not answer the query; its webhook is answered so that it is sent again.
        """
        raise WebhookRejected("this gateway sends no webhooks")

    def answer_webhook(self, webhook: Webhook) -> WebhookAnswer:
        """Return what the gateway wants to read after ``read_webhook`` succeeded."""
        return WebhookAnswer()

    def read_return(self, payment: PaymentDetails, params: Mapping[str, str]) -> GatewayReport | None:
        """Return what is proven when the customer's browser returns, for example by capturing the payment.

        Args:
            params: The query and form fields of the browser's request. Anybody can forge them.

        Raises:
            GatewayError: Nothing is proven yet; the payment's page shows that it waits.
        """
        return self.query(payment) if self.can_query else None

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        """Ask the gateway for the state of a payment.

        It is called while the customer waits, every few minutes while the payment is open, and before it expires.

        Returns:
            The facts; None if the gateway knows nothing of the payment yet.

        Raises:
            GatewayUnreachable, GatewayRejected.
        """
        return None

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        """Give ``amount`` of the payment's currency back to the customer.

        Args:
            key: Unique for this refund and the same in a repeated call, for the gateway's idempotency.

        Raises:
            GatewayRejected: The gateway refused; nothing was refunded.
            GatewayUnreachable: Whether it was refunded is not known.
        """
        raise GatewayRejected("this gateway cannot refund")

    def check(self) -> str:
        """Test the configuration with a harmless call and return one sentence about the result.

        Raises:
            GatewayRejected: The gateway refused the keys.
            GatewayUnreachable: The gateway did not answer.
        """
        raise GatewayRejected("this gateway has no test call")

    @property
    def asks_for_transaction_number(self) -> bool:
        """Whether customers of this payment method enter a transaction number."""
        return self.takes_transaction_number

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret values of the configuration, which must not reach a log, an exception or a page."""
        names = (one.name for one in self.config_fields if one.is_secret)
        return tuple(self.config[name] for name in names if self.config[name])

    # --- for subclasses ------------------------------------------------------------------------------------------

    def url(self, path: str, *, base: str = "") -> str:
        """Return the URL of an API path.

        Args:
            base: Base URL instead of ``api_url`` or ``test_api_url``, for gateways with several hosts.
        """
        own = (self.test_api_url or self.api_url) if self.is_test else self.api_url
        return (override_url(self.name) or base or own).rstrip("/") + "/" + path.lstrip("/")

    def request(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> GatewayAnswer:
        """Send one request within the limits of time and size, and return the answer, whatever its status.

        Args:
            form, json, content: The body, one of them. ``json`` may hold Decimals, sent as numbers. ``content``
                is sent byte for byte, for signed bodies; its Content-Type is application/json unless ``headers`` name
                another.

        Raises:
            GatewayUnreachable: No complete answer came.
        """
        try:
            return send(
                self.name,
                method,
                url,
                query=query,
                form=form,
                json=json,
                content=content,
                headers=headers,
                secrets=self.secrets,
                is_local=bool(override_url(self.name)),
            )
        except ConnectionError as problem:
            raise GatewayUnreachable(str(problem)) from None

    def refusal(self, answer: GatewayAnswer, reason: str = "", *, is_definite: bool = False) -> GatewayError:
        """Return the error to raise for an answer that is not the expected one.

        It is GatewayRejected if the gateway refused, that is, for a status of 400 to 499 other than 408, 409, 425 and
        429, which ask to come again. Everything else is GatewayUnreachable, because something may have happened.

        Args:
            reason: The gateway's own words. Secrets in them are replaced.
            is_definite: Whether the body says that the gateway refused, for gateways that refuse with status 200.
        """
        message = f"{self.name} answered {answer.status}" + (f": {reason}" if reason else "")
        is_refused = is_definite or (400 <= answer.status < 500 and answer.status not in (408, 409, 425, 429))
        return (GatewayRejected if is_refused else GatewayUnreachable)(redact(message, self.secrets))


def override_url(name: str) -> str:
    """Return the address that replaces all API hosts of a gateway, for tests and the demo; "" for none."""
    return str(settings.PAYMENT_GATEWAY_URLS.get(name, ""))
