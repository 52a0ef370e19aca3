"""Model of display currencies; the ledger itself has one currency."""

from __future__ import annotations

from babel.numbers import is_currency
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import RateField
from orders.rules import amounts


def can_be_shown(code: str) -> None:
    """Raise ValidationError if ``code`` is not a currency, or is the store currency, which is always shown."""
    if not is_currency(code):
        message = gettext("“%(code)s” is not a currency code. Enter a code such as EUR.")
        raise ValidationError(message, "unknown", {"code": code})
    if code == settings.STORE_CURRENCY:
        raise ValidationError(gettext("This is the store currency, which is always shown."), "own")


class Currency(models.Model):
    """A display currency; ``rate`` is the number of its units that equal one unit of the store currency."""

    code = models.CharField(
        _("code"), max_length=3, unique=True, validators=[can_be_shown], help_text=_("Three-letter code, such as EUR.")
    )
    rate = RateField(
        _("exchange rate"),
        validators=[MinValueValidator(amounts.RATE_QUANTUM)],
        help_text=_("How many units of this currency equal one unit of the store currency. Used for display only."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    updated_at = models.DateTimeField(_("changed at"), auto_now=True)

    class Meta:
        ordering = ["code"]
        verbose_name = _("display currency")
        verbose_name_plural = _("display currencies")
        constraints = [models.CheckConstraint(name="currency_rate_positive", condition=models.Q(rate__gt=0))]

    def __str__(self) -> str:
        return self.code
