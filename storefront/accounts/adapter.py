"""Adapt the sign-in library: open a wallet for every customer, limit sign-in attempts, put emails into the outbox."""

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

#: Names of the context variables in the library's emails that hold a link.
LINK_VARIABLES = ("activate_url", "password_reset_url", "signup_url")


class AccountAdapter(DefaultAccountAdapter):
    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        # Use the same text whether the address belongs to someone or cannot be used, so that it reveals no accounts.
        "email_taken": _("You can't use this email address. If it's yours, sign in or reset your password."),
    }

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        # Tasks and webhooks write emails outside of a browser's request, so they need a stored language.
        user.language = get_language() or ""
        with transaction.atomic():
            user = super().save_user(request, user, form, commit)
            if commit:
                transfers.open_wallet(user)
                for path in settings.ACCOUNTS_SIGN_UP_LISTENERS:
                    import_string(path)(user, request=request)
            return user

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address by which sign-in limits count, which is also the one that API keys are restricted to."""
        address = ip_addresses.client_address(request)
        if not address:
            raise PermissionDenied("The client's IP address is unknown. See BEHIND_PROXY in .env.example.")
        return address

    # ---------------------------------------------------------------------------------------------- sign-in

    def login(self, request: HttpRequest, user: Any) -> None:
        super().login(request, user)
        request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = int(time.time())
        security_log.note("signed_in", request, user)

    def post_login(self, request: HttpRequest, user: Any, **options: Any) -> HttpResponse:
        """Remember the browser, and show the access review first after a password reset."""
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
        """Check the password by the account's own address.

        Not every account has a row in the library's table of addresses.
        """
        user_found = self.authenticate(allauth_context.request, email=user.email, password=password)
        return user_found is not None and user_found.pk == user.pk

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Return the key of the failures that a password reset clears.

        They are those of the person who has just proven to own the address.
        """
        return sign_in_limits.from_here(request, str(credentials.get("email", "")).lower())

    # ---------------------------------------------------------------------------------------------- addresses

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Confirm an address. The library makes it the account's only one, and the former address is notified."""
        return email_change.confirm(request, email_address, verify=super().confirm_email)

    def can_delete_email(self, email_address: EmailAddress) -> bool:
        """Return whether the address can be removed.

        Only an unconfirmed change can be removed: an account always keeps its address.
        """
        return not email_address.primary and email_address.email.lower() != email_address.user.email

    # ---------------------------------------------------------------------------------------------- emails

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Send to the account's own address, even if the library does not know it.

        The emails about a reset password and a changed address are skipped: the shop sends its own, which say more.
        """
        if template_prefix not in ("account/email/password_reset", "account/email/email_changed"):
            super().send_notification_mail(template_prefix, user, context, email or user.email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Pass the email, in the reader's language, to the function in ACCOUNTS_EMAIL_HANDLER. Nothing is sent here."""
        request = allauth_context.request
        site = get_current_site(request)
        site.name = settings.SHOP_NAME
        reader = self._reader(request, email, context)
        language = reader.language if reader and reader.language in dict(settings.LANGUAGES) else get_language()
        with translation.override(language), timezone.override(reader.zone if reader else None):
            variables = {"request": request, "email": email, "current_site": site, **context}
            rendered = self.render_mail(template_prefix, email, variables)
            import_string(settings.ACCOUNTS_EMAIL_HANDLER)(
                template_prefix.rpartition("/")[2],
                user=reader,
                address=email,
                subject=rendered.subject,
                text=str(rendered.body),
                url=next((str(context[name]) for name in LINK_VARIABLES if context.get(name)), ""),
            )

    def _reader(self, request: HttpRequest | None, email: str, context: dict[str, Any]) -> User | None:
        """Return the user whose account an email is about; None if a stranger entered an address without an account."""
        account = context.get("user") or getattr(request, "user", None)
        if isinstance(account, User):
            return account
        return User.objects.filter(email=email.strip().lower()).first()
