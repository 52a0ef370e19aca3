"""What the log-in library asks us: every customer has a wallet from the first moment; from where a request came."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.module_loading import import_string
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from orders import ledger
from storefront.accounts import addresses
from storefront.accounts.middleware import SEEN_AT
from storefront.accounts.models import User

#: Where a letter can lead, by the library's own names.
LEADS_TO = ("activate_url", "password_reset_url", "signup_url")


class AccountAdapter(DefaultAccountAdapter):
    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        # The same whether somebody has it or it cannot be had.
        "email_taken": _("This address cannot be used. If it is yours, sign in, or let us send you a new password."),
    }

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        # Letters are written by tasks and webhooks: no browser asks for a language there.
        user.language = get_language() or ""
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

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Nothing is sent here: ACCOUNTS_LETTER names who keeps the letter, written in its reader's language."""
        request = allauth_context.request
        site = get_current_site(request)
        site.name = settings.SHOP_NAME
        reader = self._reader(request, email, context)
        language = reader.language if reader and reader.language in dict(settings.LANGUAGES) else get_language()
        with translation.override(language), timezone.override(reader.zone if reader else None):
            words = {"request": request, "email": email, "current_site": site, **context}
            letter = self.render_mail(template_prefix, email, words)
            import_string(settings.ACCOUNTS_LETTER)(
                template_prefix.rpartition("/")[2],
                user=reader,
                address=email,
                subject=letter.subject,
                text=str(letter.body),
                url=next((str(context[name]) for name in LEADS_TO if context.get(name)), ""),
            )

    def _reader(self, request: HttpRequest | None, email: str, context: dict[str, Any]) -> User | None:
        """Whose account a letter is about; None where a stranger gave an address that nobody has."""
        known = context.get("user") or getattr(request, "user", None)
        if isinstance(known, User):
            return known
        return User.objects.filter(email=email.strip().lower()).first()
