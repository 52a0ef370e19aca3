"""The models of payments: methods, payments, what gateways reported about them, and proofs.

Only ``crediting`` and ``reversing`` write a Payment, a PaymentEntry, a PaymentRefund or a Proof.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orders.db.encrypted_field import EncryptedField, Secret
from orders.db.money_fields import NOT_NEGATIVE, MoneyField


def new_token() -> str:
    """Return the random part of a webhook URL."""
    return secrets.token_urlsafe(18)


# --- payment methods ---------------------------------------------------------------------------------------------


class DifferencePolicy(models.TextChoices):
    REVIEW = "review", _("Leave it to staff")
    CREDIT = "credit", _("Credit the amount received")


class Audience(models.TextChoices):
    EVERYONE = "everyone", _("All customers")
    PAID = "paid", _("Customers with an earlier payment")
    CHOSEN = "chosen", _("Chosen customers only")


class PaymentMethod(models.Model):
    """A way to pay as offered to customers: a gateway with the shop's account there, its name and its limits.

    ``config`` holds the gateway's values that may be shown, ``secrets`` the others as encrypted JSON.
    """

    gateway = models.CharField(_("gateway"), max_length=32)
    name = models.CharField(_("name"), max_length=100)
    hint = models.CharField(
        _("short description"), max_length=100, blank=True, help_text=_("For example “1 to 2 business days”.")
    )
    icon = models.CharField(_("icon"), max_length=32, blank=True)
    config = models.JSONField(_("configuration"), default=dict, blank=True)
    secrets = EncryptedField(_("credentials"), blank=True)
    currency = models.CharField(
        _("customers pay in"),
        max_length=3,
        blank=True,
        help_text=_("Leave empty for the store currency. Any other currency needs an exchange rate."),
    )
    minimum = MoneyField(_("minimum amount"), validators=[NOT_NEGATIVE])
    maximum = MoneyField(_("maximum amount"), null=True, blank=True, help_text=_("Leave empty for no limit."))
    fee_percent = models.DecimalField(
        _("fee in percent"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(50))],
        help_text=_("The customer pays it on top of the amount."),
    )
    fee_fixed = MoneyField(
        _("fixed fee"),
        default=Decimal(0),
        validators=[NOT_NEGATIVE],
        help_text=_("In the store currency, on top of the amount."),
    )
    difference_policy = models.CharField(
        _("if another amount arrives"),
        max_length=8,
        choices=DifferencePolicy.choices,
        default=DifferencePolicy.REVIEW,
    )
    tolerance_percent = models.DecimalField(
        _("tolerated difference in percent"),
        max_digits=4,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(10))],
        help_text=_("Within it, the requested amount is credited."),
    )
    audience = models.CharField(_("shown to"), max_length=8, choices=Audience.choices, default=Audience.EVERYONE)
    customers = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="+",
        verbose_name=_("chosen customers"),
    )
    countries = models.CharField(
        _("countries"),
        max_length=500,
        blank=True,
        help_text=_("Codes such as TR, IN. Leave empty for all countries."),
    )
    is_test = models.BooleanField(
        _("test mode"),
        default=False,
        help_text=_(
            "Uses the gateway's test environment. Test payments are credited like real ones, so do not use this in a "
            "live shop."
        ),
    )
    checks_networks = models.BooleanField(
        _("check the sender's address"),
        default=False,
        help_text=_("Accept webhooks only from the gateway's published addresses, in addition to its proof."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    token = models.CharField(_("webhook token"), max_length=40, default=new_token, editable=False)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("payment method")
        verbose_name_plural = _("payment methods")
        indexes = [models.Index(name="payment_method_of_gateway", fields=["gateway"])]

    def __str__(self) -> str:
        return self.name

    @property
    def pay_currency(self) -> str:
        """The currency that customers pay in."""
        return self.currency or str(settings.STORE_CURRENCY)

    @property
    def is_foreign(self) -> bool:
        """Whether customers pay in another currency than the store's."""
        return bool(self.pay_currency != settings.STORE_CURRENCY)

    @property
    def webhook_url(self) -> str:
        """The absolute URL that the operator enters at the gateway."""
        return f"{settings.SHOP_URL}{reverse('payments:webhook', args=[self.pk, self.token])}"

    @property
    def country_codes(self) -> set[str]:
        return {code.strip().upper() for code in self.countries.split(",") if code.strip()}

    def values(self) -> dict[str, str]:
        """Return the configuration of the gateway with its secrets. Raises ImproperlyConfigured as ``Secret`` does."""
        hidden = self.secrets.reveal() if self.secrets else ""
        return {**self.config, **(json.loads(hidden) if hidden else {})}

    def set_values(self, values: Mapping[str, str], *, secret_names: set[str]) -> None:
        """Store the configuration of the gateway; the values of ``secret_names`` are encrypted. Does not save."""
        self.config = {name: text for name, text in values.items() if name not in secret_names}
        hidden = {name: text for name, text in values.items() if name in secret_names and text}
        self.secrets = Secret.hide(json.dumps(hidden) if hidden else "")

    def clean(self) -> None:
        super().clean()
        if self.minimum is not None and self.maximum is not None and self.maximum < self.minimum:
            raise ValidationError({"maximum": _("The maximum is below the minimum.")})


# --- payments ----------------------------------------------------------------------------------------------------


class PaymentStatus(models.TextChoices):
    STARTED = "started", _("Started")
    WAITING = "waiting", _("Waiting")  # a proof was sent, or the gateway has to confirm the payment
    CREDITED = "credited", _("Credited")
    REFUSED = "refused", _("Declined")
    EXPIRED = "expired", _("Expired")


class ReviewReason(models.TextChoices):
    """Why a payment waits for staff."""

    PROOF = "proof", _("Proof to check")
    AMOUNT = "amount", _("Another amount arrived")
    CURRENCY = "currency", _("Another currency arrived")
    ADDITIONAL = "additional", _("More arrived after the credit")
    DECIDED = "decided", _("Arrived after a decision by staff")
    TEST = "test", _("Test payment on a live method")
    DISPUTED = "disputed", _("Disputed by the customer")
    REVERSED = "reversed", _("Refunded or charged back")
    REFUND = "refund", _("Refund with an unknown outcome")
    NUMBER = "number", _("Transaction number used twice")


#: In the place of a gateway's name: payments that a program of the operator reports.
REPORTED = "reported"
OPEN = (PaymentStatus.STARTED, PaymentStatus.WAITING)
ENDED = tuple(status for status in PaymentStatus if status not in OPEN)


class PaymentQuerySet(models.QuerySet["Payment"]):
    def of(self, user: Any) -> PaymentQuerySet:
        """Return the payments of a customer."""
        return self.filter(user=user)

    def open(self) -> PaymentQuerySet:
        return self.filter(ended_at__isnull=True)

    def in_review(self) -> PaymentQuerySet:
        """Return the payments that wait for a decision by staff."""
        return self.filter(is_in_review=True)


class Payment(models.Model):
    """A customer's payment into the wallet. The row is created before the customer leaves for the gateway.

    ``reference`` identifies the payment to the customer, the gateway and the ledger. ``amount`` is what the wallet
    will receive, in the store currency. The customer pays ``pay_amount`` in ``pay_currency``, which includes ``fee``;
    the exchange rate is frozen when the payment starts. ``paid_amount`` is the amount received so far, and
    ``credited_amount`` what the wallet received for it.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="payments", db_index=False, verbose_name=_("customer")
    )
    gateway = models.CharField(_("gateway"), max_length=32)
    method = models.ForeignKey(
        PaymentMethod,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payments",
        db_index=False,
        verbose_name=_("payment method"),
    )
    label = models.CharField(_("payment method"), max_length=100)
    amount = MoneyField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    fee = MoneyField(_("fee paid by the customer"), default=Decimal(0))
    pay_amount = MoneyField(_("amount to pay"))
    pay_currency = models.CharField(_("currency to pay in"), max_length=3)
    exchange_rate = models.DecimalField(_("exchange rate"), max_digits=24, decimal_places=12, default=Decimal(1))
    status = models.CharField(_("status"), max_length=8, choices=PaymentStatus.choices, default=PaymentStatus.STARTED)
    is_in_review = models.BooleanField(_("needs review"), default=False)
    review_reason = models.CharField(_("review reason"), max_length=10, choices=ReviewReason.choices, blank=True)
    reference = models.CharField(_("reference"), max_length=40, unique=True)
    upstream_id = models.CharField(_("gateway payment ID"), max_length=200, blank=True)
    action = models.JSONField(_("next step of the customer"), default=dict, blank=True)
    data = models.JSONField(_("gateway data"), default=dict, blank=True)
    coupon_code = models.CharField(_("coupon"), max_length=40, blank=True)
    return_to = models.CharField(_("return address"), max_length=2000, blank=True)
    paid_amount = MoneyField(_("amount paid"), null=True, blank=True)
    paid_currency = models.CharField(_("currency paid"), max_length=12, blank=True)
    credited_amount = MoneyField(_("amount credited"), default=Decimal(0))
    reversed_amount = MoneyField(
        _("amount reversed"),
        default=Decimal(0),
        help_text=_("The part of the credit that was refunded or charged back."),
    )
    note = models.CharField(_("note"), max_length=500, blank=True, help_text=_("Visible to the customer."))
    remark = models.TextField(_("internal notes"), blank=True, help_text=_("Visible to staff only."))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("decided by"),
    )
    created_at = models.DateTimeField(_("started at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    #: When the gateway is asked next for the state; null if it cannot be asked or need not be.
    query_at = models.DateTimeField(_("next query at"), null=True, blank=True)
    credited_at = models.DateTimeField(_("credited at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.CheckConstraint(name="payment_amount_positive", condition=Q(amount__gt=0, pay_amount__gt=0)),
            models.CheckConstraint(
                name="payment_credited_with_what_was_paid",
                condition=Q(
                    status=PaymentStatus.CREDITED, credited_at__isnull=False, credited_amount__gt=0, paid_amount__gt=0
                )
                | (~Q(status=PaymentStatus.CREDITED) & Q(credited_at__isnull=True, credited_amount=0)),
            ),
            models.CheckConstraint(
                name="payment_reversed_at_most_the_credit",
                condition=Q(reversed_amount__gte=0, reversed_amount__lte=models.F("credited_amount")),
            ),
            models.CheckConstraint(
                name="payment_ended_by_status",
                condition=Q(status__in=OPEN, ended_at__isnull=True) | Q(status__in=ENDED, ended_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="payment_of_customer", fields=["user", "-id"]),
            models.Index(name="payment_review_first", fields=["-is_in_review", "-id"]),
            models.Index(name="payment_by_status", fields=["status", "-id"]),
            models.Index(name="payment_upstream", fields=["method", "upstream_id"]),
            # These indexes grow with the open payments, which can expire, not with the history.
            models.Index(name="payment_open", fields=["gateway", "created_at"], condition=Q(ended_at__isnull=True)),
            models.Index(name="payment_query_due", fields=["query_at"], condition=Q(ended_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def kept_amount(self) -> Decimal:
        """What is left of the credit after refunds and chargebacks."""
        return self.credited_amount - self.reversed_amount

    @property
    def mark(self) -> str:
        """Return a text that changes whenever the payment's page has to change."""
        return f"{self.status}-{int(self.is_in_review)}-{self.credited_amount}-{self.reversed_amount}"


class EntryKind(models.TextChoices):
    RECEIVED = "received", _("Received")
    REFUNDED = "refunded", _("Refunded")
    CHARGED_BACK = "charged_back", _("Charged back")


class PaymentEntry(models.Model):
    """One movement of money that a gateway reported: a deposit, a capture, a refund or a chargeback.

    ``entry_id`` is the gateway's number of it. The same one can be reported again with a larger amount; the difference
    is new. ``booked_amount`` is what the wallet received or lost for it, in the store currency, and ``owed_amount``
    what the customer owes because the balance did not cover it.
    """

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="entries", verbose_name=_("payment"))
    kind = models.CharField(_("type"), max_length=12, choices=EntryKind.choices)
    entry_id = models.CharField(_("gateway ID"), max_length=200)
    amount = MoneyField(_("amount"))
    currency = models.CharField(_("currency"), max_length=12)
    booked_amount = MoneyField(_("booked"), default=Decimal(0))
    owed_amount = MoneyField(_("booked as debt"), default=Decimal(0))
    is_undone = models.BooleanField(_("undone"), default=False)  # a chargeback whose dispute was won
    fee = MoneyField(_("gateway fee"), null=True, blank=True)
    fee_currency = models.CharField(_("currency of the fee"), max_length=12, blank=True)
    created_at = models.DateTimeField(_("reported at"), auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("payment entry")
        verbose_name_plural = _("payment entries")
        constraints = [
            models.UniqueConstraint(name="payment_entry_once", fields=["payment", "kind", "entry_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.entry_id}"


class RefundStatus(models.TextChoices):
    REQUESTED = "requested", _("Requested")
    SENDING = "sending", _("Being sent")
    PENDING = "pending", _("Accepted by the gateway")
    DONE = "done", _("Refunded")
    FAILED = "failed", _("Refused by the gateway")
    UNKNOWN = "unknown", _("Outcome unknown")


#: Refunds whose money has left the balance.
COUNTED_REFUNDS = (
    RefundStatus.REQUESTED,
    RefundStatus.SENDING,
    RefundStatus.PENDING,
    RefundStatus.DONE,
    RefundStatus.UNKNOWN,
)


class PaymentRefund(models.Model):
    """A refund that staff requested. ``amount`` left the balance when it was requested, in the store currency.

    ``pay_amount`` is what the gateway gives back, in the currency of the payment.
    """

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds", verbose_name=_("payment"))
    amount = MoneyField(_("amount"))
    pay_amount = MoneyField(_("amount given back"))
    status = models.CharField(_("status"), max_length=9, choices=RefundStatus.choices, default=RefundStatus.REQUESTED)
    refund_id = models.CharField(_("gateway refund ID"), max_length=200, blank=True)
    reason = models.CharField(_("reason"), max_length=500)
    problem = models.CharField(_("problem"), max_length=500, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name=_("requested by")
    )
    created_at = models.DateTimeField(_("requested at"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("refund of a payment")
        verbose_name_plural = _("refunds of payments")
        constraints = [
            models.CheckConstraint(name="payment_refund_positive", condition=Q(amount__gt=0, pay_amount__gt=0))
        ]
        indexes = [
            models.Index(
                name="payment_refund_open", fields=["status", "id"], condition=~Q(status__in=["done", "failed"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.payment_id}.{self.pk}"


class EventSource(models.TextChoices):
    WEBHOOK = "webhook", _("Webhook")
    QUERY = "query", _("Query")
    RETURN = "return", _("Customer returned")
    REFUND = "refund", _("Refund request")


class PaymentEvent(models.Model):
    """Evidence: what a gateway said about a payment, as it arrived, without secrets."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="events", verbose_name=_("payment"))
    source = models.CharField(_("source"), max_length=8, choices=EventSource.choices)
    state = models.CharField(_("reported state"), max_length=16, blank=True)
    content = models.TextField(_("content"), blank=True)
    ip = models.GenericIPAddressField(_("sender"), null=True, blank=True)
    created_at = models.DateTimeField(_("received at"), auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("payment event")
        verbose_name_plural = _("payment events")

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.state}"


class Proof(models.Model):
    """A picture or PDF that a customer sent to prove a payment. ``key`` is its name in the private storage."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="proofs", verbose_name=_("payment"))
    key = models.CharField(_("file"), max_length=100, unique=True)
    kind = models.CharField(_("file type"), max_length=8)
    size = models.PositiveIntegerField(_("size in bytes"))
    comment = models.CharField(_("comment"), max_length=1000, blank=True)
    created_at = models.DateTimeField(_("sent at"), auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("proof")
        verbose_name_plural = _("proofs")

    def __str__(self) -> str:
        return f"{self.pk}.{self.kind}"

    @property
    def is_image(self) -> bool:
        return self.kind != "pdf"


class TransactionNumber(models.Model):
    """A number from the customer's receipt, such as the UTR of a UPI payment. It is unique per method for ever.

    That includes declined payments: otherwise one receipt could be shown until a member of staff overlooks it.
    """

    method = models.ForeignKey(
        PaymentMethod, models.PROTECT, related_name="+", db_index=False, verbose_name=_("payment method")
    )
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="numbers", verbose_name=_("payment"))
    number = models.CharField(_("transaction number"), max_length=40)
    created_at = models.DateTimeField(_("sent at"), auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("transaction number")
        verbose_name_plural = _("transaction numbers")
        constraints = [
            models.UniqueConstraint(name="transaction_number_once_per_method", fields=["method", "number"]),
        ]

    def __str__(self) -> str:
        return self.number
