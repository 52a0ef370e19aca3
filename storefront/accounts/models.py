"""The models User and ApiKey, the key with which a program acts for a user."""

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

#: Maximum number of active keys per customer.
KEYS_MAX = 20


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        """Create a user. The address is stored in lower case, so that nobody has two accounts by accident."""
        if not email:
            raise ValueError("a user needs an email address")
        user = self.model(email=email.strip().lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        """Create a superuser whose address counts as confirmed, because it is done on the shop's own command line.

        Otherwise the first superuser of a shop that cannot send email yet could not sign in.
        """
        user = self.create_user(
            email, password, is_staff=True, is_superuser=True, email_confirmed_at=timezone.now(), **extra
        )
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in by email."""

    email = models.EmailField(_("email address"), unique=True)
    name = models.CharField(pgettext_lazy("a person's", "name"), max_length=150, blank=True)
    language = models.CharField(
        _("language"), max_length=10, blank=True, help_text=_("Leave empty to use the browser's language.")
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, help_text=_("Leave empty to use the shop's time zone.")
    )
    currency = models.CharField(
        _("display currency"), max_length=3, blank=True, help_text=_("Leave empty to show only the shop's currency.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("Can sign in to the back office."))
    #: When the owner confirmed the address. None: no link that was sent to it was opened.
    email_confirmed_at = models.DateTimeField(_("email confirmed at"), null=True, blank=True, editable=False)
    #: Whether the customer still has to review the API keys and webhooks that outlived a password reset.
    has_access_review = models.BooleanField(_("access review required"), default=False, editable=False)
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
        """Return the user's time zone; None stands for the shop's, also if this machine does not know the user's."""
        try:
            return ZoneInfo(self.time_zone) if self.time_zone else None
        except (KeyError, ValueError, OSError):
            return None

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()


def digest(key: str) -> str:
    """Return the stored form of a key. Keys are 256 random bits, so a plain SHA-256 cannot be reversed by search."""
    return hashlib.sha256(key.encode()).hexdigest()


class TooManyKeys(Exception):
    """The customer already has ``KEYS_MAX`` active keys."""


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    @transaction.atomic
    def issue(self, user: User, *, name: str = "", **restrictions: Any) -> tuple[ApiKey, str]:
        """Create a key.

        Args:
            restrictions: Columns of ApiKey: scopes, addresses, is_sandbox.

        Returns:
            The key and its text. The text is not stored: the caller must show it now, and it cannot be shown again.

        Raises:
            TooManyKeys: The customer already has ``KEYS_MAX`` active keys.
        """
        # Lock the user, so that two requests at once cannot both create the last allowed key.
        User.objects.select_for_update().get(pk=user.pk)
        if self.active().filter(user=user).count() >= KEYS_MAX:
            raise TooManyKeys
        text = secrets.token_hex(32)
        return self.create(user=user, name=name, prefix=text[:8], digest=digest(text), **restrictions), text

    def active(self) -> ApiKeyQuerySet:
        return self.filter(revoked_at=None)


class ApiKey(models.Model):
    """A program's key to the API. Only its hash is stored."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_keys", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=100, blank=True)
    prefix = models.CharField(_("prefix"), max_length=8)
    digest = models.CharField(_("hash"), max_length=64, unique=True, editable=False)
    has_read_scope = models.BooleanField(
        _("read"), default=True, help_text=_("See services, prices and the balance, and track orders and refills.")
    )
    has_order_scope = models.BooleanField(
        _("place orders"), default=True, help_text=_("Place orders and request refills and cancellations.")
    )
    has_get_writes = models.BooleanField(
        _("allow orders by GET"),
        default=True,
        help_text=_("Some older programs need this. The key may then appear in proxy logs."),
    )
    is_sandbox = models.BooleanField(
        _("sandbox"), default=False, help_text=_("For testing: orders are accepted but not delivered or charged.")
    )
    addresses = models.TextField(
        _("allowed IP addresses"),
        blank=True,
        help_text=_(
            "One IP address or network per line, such as 203.0.113.7 or 198.51.100.0/24. Leave empty to allow all."
        ),
    )
    calls_per_minute = models.PositiveIntegerField(
        _("requests per minute"), null=True, blank=True, help_text=_("Leave empty to use the shop's default limit.")
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
        """Return the allowed addresses as a list."""
        return self.addresses.split()
