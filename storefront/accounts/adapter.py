"""What the log-in library asks us: every customer has a wallet from the first moment; from where a request came."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest

from orders import ledger
from storefront.accounts import addresses


class AccountAdapter(DefaultAccountAdapter):
    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        with transaction.atomic():
            user = super().save_user(request, user, form, commit)
            if commit:
                ledger.open_wallet(user)
            return user

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that log-in limits count by: the one our keys go by as well."""
        address = addresses.client_address(request)
        if not address:
            raise PermissionDenied("It cannot be told from where this request came: see BEHIND_PROXY in .env.example.")
        return address
