"""What the log-in library asks us: every customer has a wallet from the first moment; from where a request came."""

from __future__ import annotations

import logging
import time
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orders import ledger
from storefront.accounts import addresses
from storefront.accounts.middleware import SEEN_AT

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        # The same whether somebody has it or it cannot be had.
        "email_taken": _("This address cannot be used. If it is yours, sign in, or let us send you a new password."),
    }

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

    def login(self, request: HttpRequest, user: Any) -> None:
        super().login(request, user)
        request.session[SEEN_AT] = int(time.time())

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """A mail that does not leave keeps nobody from signing up; the page of addresses sends another one."""
        try:
            super().send_confirmation_mail(request, emailconfirmation, signup)
        except OSError as problem:  # smtplib's errors are OSErrors
            log.warning("A mail to confirm an address was not sent: %s", type(problem).__name__)
            if not signup:
                raise
