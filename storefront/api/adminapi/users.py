"""The endpoints of users."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from orders.models import Account, CustomerRate
from orders.rules import amounts
from storefront.accounts import new_customers
from storefront.accounts.models import User
from storefront.api.adminapi import audit, envelope, inputs, pages, shapes
from storefront.api.adminapi.base import AdminApiView
from storefront.api.adminapi.models import Group
from storefront.api.adminapi.order_rows import date


class UsersView(AdminApiView):
    group = Group.USERS
    data_shape = shapes.listed(shapes.USER)
    is_page = True
    query_class = inputs.UsersQuery

    def get(self, request: Request) -> Response:
        query = self.read_query()
        return pages.answer(request, query, rows(pages.cut(_filtered(query), query)))


class AddUserView(AdminApiView):
    group = Group.USERS
    data_shape = shapes.USER
    body_class = inputs.NewUser

    def post(self, request: Request) -> Response:
        given = self.read_body()
        try:
            with transaction.atomic():
                user = new_customers.add(given["email"], password=given["password"], name=given["name"])
                changes = audit.differences({"email": "", "name": ""}, {"email": user.email, "name": user.name})
                audit.record(self.key, user, "users/add", changes)
        except new_customers.EmailTaken:
            raise envelope.CannotDo("There is a user with this email address already") from None
        except DjangoValidationError as problem:
            raise ValidationError(problem.message_dict) from None
        (row,) = rows([user])
        return envelope.success(row)


def find_user(username: str) -> User | None:
    """Return the user with this user name, which is the email address here."""
    return User.objects.filter(email=username.strip().lower()).first()


def _filtered(query: dict[str, Any]) -> QuerySet[User]:
    found = User.objects.order_by("-id")
    if ids := query.get("ids"):
        found = found.filter(pk__in=ids)
    for name in ("username", "email"):
        if query.get(name):
            found = found.filter(email=query[name].strip().lower())
    return found


def rows(users: Iterable[User]) -> list[dict[str, Any]]:
    """Return the users as JSON values, in three queries."""
    listed = list(users)
    ids = [user.pk for user in listed]
    wallets = {wallet.user_id: wallet for wallet in Account.objects.filter(user__in=ids).select_related("level")}
    rates: dict[int, list[CustomerRate]] = defaultdict(list)
    for rate in CustomerRate.objects.filter(user__in=ids).select_related("service").order_by("service"):
        rates[rate.user_id].append(rate)
    return [_row(user, wallets.get(user.pk), rates[user.pk]) for user in listed]


def _row(user: User, wallet: Account | None, rates: list[CustomerRate]) -> dict[str, Any]:
    return {
        "id": user.pk,
        "username": user.email,
        "email": user.email,
        "name": user.name,
        "balance": amounts.plain((wallet and wallet.balance) or amounts.parse("0")),
        "spent": amounts.plain(wallet.spent if wallet else amounts.parse("0")),
        "discount": amounts.plain(wallet.level.discount if wallet and wallet.level else amounts.parse("0")),
        "status": "active" if user.is_active else "suspended",
        "created": date(user.created_at),
        "last_auth": date(user.last_login),
        "custom_rates": [_rate(rate) for rate in rates],
    }


def _rate(rate: CustomerRate) -> dict[str, Any]:
    listed = rate.service.rate
    return {
        "service_id": rate.service_id,
        "service_name": rate.service.name,
        "custom_rate": amounts.plain(rate.rate),
        "percent": str(round(amounts.divide(rate.rate * 100, listed), 2)) if listed else "",
    }
