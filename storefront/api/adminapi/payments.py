"""The endpoints of payments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from orders.ledger import transfers
from orders.rules import amounts
from storefront.accounts.models import User
from storefront.api.adminapi import audit, envelope, inputs, pages, shapes
from storefront.api.adminapi.base import AdminApiView
from storefront.api.adminapi.models import Group, StaffKey
from storefront.api.adminapi.order_rows import date
from storefront.api.adminapi.users import find_user
from storefront.payments import crediting
from storefront.payments.models import Payment, PaymentStatus

STATUS_WORDS = {
    PaymentStatus.STARTED: "pending",
    PaymentStatus.WAITING: "waiting",
    PaymentStatus.CREDITED: "completed",
    PaymentStatus.REFUSED: "fail",
    PaymentStatus.EXPIRED: "expired",
}


class PaymentsView(AdminApiView):
    group = Group.PAYMENTS
    data_shape = shapes.listed(shapes.PAYMENT)
    is_page = True
    query_class = inputs.PaymentsQuery

    def get(self, request: Request) -> Response:
        query = self.read_query()
        found = Payment.objects.select_related("user__wallet").order_by("-id")
        if ids := query.get("ids"):
            found = found.filter(pk__in=ids)
        if "user" in query:
            found = found.filter(user__email=query["user"].strip().lower())
        return pages.answer(request, query, [_row(payment) for payment in pages.cut(found, query)])


class AddPaymentView(AdminApiView):
    group = Group.PAYMENTS
    data_shape = shapes.NEW_PAYMENT
    body_class = inputs.NewPayment

    def post(self, request: Request) -> Response:
        given = self.read_body()
        user = find_user(given["username"])
        if user is None:
            raise envelope.CannotDo("There is no user with this username")
        payment, balance = add(
            self.key,
            user,
            amount=given["amount"],
            method=given["method"],
            memo=given["memo"],
            endpoint="payments/add",
        )
        data = {"payment_id": payment.pk, "user": {"username": user.email, "balance": amounts.plain(balance)}}
        return envelope.success(data)


@transaction.atomic
def add(
    key: StaffKey, user: User, *, amount: Decimal, method: str, memo: str, endpoint: str
) -> tuple[Payment, Decimal]:
    """Credit a payment and write it into the history; a repeated one does neither.

    Returns:
        The payment and the balance after it.
    """
    payment, is_new = crediting.credit_reported(user, amount=amount, method=method, memo=memo, actor=key.user)
    after = transfers.open_wallet(user).balance or Decimal(0)
    if is_new:
        audit.record(key, payment, endpoint, {"balance": (amounts.plain(after - amount), amounts.plain(after))})
    return payment, after


def _row(payment: Payment) -> dict[str, Any]:
    wallet = getattr(payment.user, "wallet", None)
    return {
        "id": payment.pk,
        "user": payment.user.email,
        "user_balance": amounts.plain(wallet.balance if wallet else Decimal(0)),
        "amount": amounts.plain(payment.amount),
        "currency": payment.currency,
        "method": payment.label,
        "status": STATUS_WORDS[PaymentStatus(payment.status)],
        "fraud_risk": "",
        "memo": payment.remark,
        "created": date(payment.created_at),
        "updated": date(payment.ended_at or payment.created_at),
        "mode": "Manual" if payment.actor_id else "Auto",
    }
