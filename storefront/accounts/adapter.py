"""What the log-in library asks us: every customer has a wallet from the first moment; from where a request came."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context as allauth_context
from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.module_loading import import_string
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from orders.ledger import transfers
from storefront.accounts import email_change, ip_addresses, known_devices, security_log, sign_in_limits
from storefront.accounts.middleware import SEEN_AT, SIGNED_IN_AT
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
                transfers.open_wallet(user)
            return user

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that log-in limits count by: the one our keys go by as well."""
        address = ip_addresses.client_address(request)
        if not address:
            raise PermissionDenied("It cannot be told from where this request came: see BEHIND_PROXY in .env.example.")
        return address

    # ---------------------------------------------------------------------------------------------- signing in

    def login(self, request: HttpRequest, user: Any) -> None:
        super().login(request, user)
        request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = int(time.time())
        security_log.note("signed_in", request, user)

    def post_login(self, request: HttpRequest, user: Any, **options: Any) -> HttpResponse:
        """The browser is known from now on. After a password reset the customer first looks at who has access."""
        response: HttpResponse = super().post_login(request, user, **options)
        known_devices.remember(request, response, user)
        if user.has_access_review:
            response["Location"] = reverse("access_review")
        return response

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        email = str(credentials.get("email", "")).strip().lower()
        self._login_failed_rl_usage = sign_in_limits.consume(request, email)
        if self._login_failed_rl_usage is None:
            security_log.warn("sign_in_blocked", request, User.objects.filter(email=email).first())
            raise self.validation_error("too_many_login_attempts")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        user = User.objects.filter(email=str(credentials.get("email", "")).strip().lower()).first()
        security_log.warn("sign_in_failed", request, user, reason="password" if user else "unknown_account")

    def reauthenticate(self, user: Any, password: str) -> bool:
        """By the account's own address: not every account has a row of the library's table of addresses."""
        found = self.authenticate(allauth_context.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """What a password reset clears: the failures of whoever has just proven to own the address."""
        return sign_in_limits.from_here(request, str(credentials.get("email", "")).lower())

    # ---------------------------------------------------------------------------------------------- addresses

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """The library makes a confirmed address the account's only one; the former one is told."""
        return email_change.confirm(request, email_address, verify=super().confirm_email)

    def can_delete_email(self, email_address: EmailAddress) -> bool:
        """Only a change that was not confirmed yet can be taken back: an account always has its address."""
        return not email_address.primary and email_address.email.lower() != email_address.user.email

    # ---------------------------------------------------------------------------------------------- letters

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """To the account's own address, whether the library knows it or not. Two letters are ours, and say more."""
        if template_prefix not in ("account/email/password_reset", "account/email/email_changed"):
            super().send_notification_mail(template_prefix, user, context, email or user.email)

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
