"""Who uses the shop: User, and the ApiKey a program uses in their name."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

#: How many living keys a customer may have.
KEYS_MAX = 20


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        """A customer. The address is kept in lower case, so that nobody has two accounts by accident."""
        if not email:
            raise ValueError("a user needs an e-mail address")
        user = self.model(email=email.strip().lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        """Made at the command line of the shop's own machine: the address counts as confirmed.

        Without that, the first superuser of a shop that cannot send e-mail yet could not sign in.
        """
        user = self.create_user(
            email, password, is_staff=True, is_superuser=True, email_confirmed_at=timezone.now(), **extra
        )
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in by e-mail."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(pgettext_lazy("a person's", "name"), max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True, help_text=_("Empty: as the browser asks."))
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, help_text=_("Empty: the shop's."))
    currency = models.CharField(
        _("shown currency"), max_length=3, blank=True, help_text=_("Empty: the store currency alone.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May log in to the back office."))
    #: Since when the account's address is known to be its owner's. Empty: nobody has opened a link that was sent there.
    email_confirmed_at = models.DateTimeField(_("address confirmed at"), null=True, blank=True, editable=False)
    #: Whether API keys and webhooks that outlived a password reset are still to be looked through by the customer.
    has_access_review = models.BooleanField(_("access to be reviewed"), default=False, editable=False)
    created_at = models.DateTimeField(_("joined at"), auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["-id"]
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.email

    @property
    def zone(self) -> ZoneInfo | None:
        """None, the shop's own, also for a zone that this machine does not know."""
        try:
            return ZoneInfo(self.time_zone) if self.time_zone else None
        except (KeyError, ValueError, OSError):
            return None

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()


def digest(key: str) -> str:
    """How a key is kept: keys are 256 random bits, so a plain SHA-256 cannot be searched backwards."""
    return hashlib.sha256(key.encode()).hexdigest()


class TooManyKeys(Exception):
    """The customer has ``KEYS_MAX`` living keys."""


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    @transaction.atomic
    def issue(self, user: User, *, name: str = "", **restrictions: Any) -> tuple[ApiKey, str]:
        """A new key and its text. The text is nowhere kept: whoever asked must show it now, once. Raises TooManyKeys.

        ``restrictions`` are columns of ApiKey: scopes, addresses, is_sandbox.
        """
        # One key at a time is made for a customer: two requests at once do not both become the last one.
        User.objects.select_for_update().get(pk=user.pk)
        if self.living().filter(user=user).count() >= KEYS_MAX:
            raise TooManyKeys
        text = secrets.token_hex(32)
        return self.create(user=user, name=name, prefix=text[:8], digest=digest(text), **restrictions), text

    def living(self) -> ApiKeyQuerySet:
        return self.filter(revoked_at=None)


class ApiKey(models.Model):
    """A program's key to the API. Only its hash is stored."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_keys", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=100, blank=True)
    prefix = models.CharField(_("begins with"), max_length=8)
    digest = models.CharField(_("hash"), max_length=64, unique=True, editable=False)
    has_read_scope = models.BooleanField(
        _("may read"), default=True, help_text=_("Prices, balance, and how orders and refills stand.")
    )
    has_order_scope = models.BooleanField(
        _("may order"), default=True, help_text=_("Place orders, ask for refills and cancellations.")
    )
    has_get_writes = models.BooleanField(
        _("orders by GET"), default=True, help_text=_("Old programs order by GET; a proxy's log then has the key.")
    )
    is_sandbox = models.BooleanField(
        _("sandbox"), default=False, help_text=_("Everything works, nothing is delivered and no money moves.")
    )
    addresses = models.TextField(
        _("allowed addresses"),
        blank=True,
        help_text=_("IP addresses or networks, one a line: 203.0.113.7 or 198.51.100.0/24. Empty: from anywhere."),
    )
    calls_a_minute = models.PositiveIntegerField(
        _("calls a minute"), null=True, blank=True, help_text=_("Empty: as many as the shop allows everybody.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}".strip()

    @property
    def networks(self) -> list[str]:
        """The allowed addresses, one by one."""
        return self.addresses.split()
