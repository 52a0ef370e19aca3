"""Model of the shop's look, in a single row; the logo is in the database, so that every web server has it."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

#: The primary key of the only row.
ONLY = 1


class Brand(models.Model):
    """Accent color and logo; without a row, or where a column is empty, the default look is used."""

    accent = models.CharField(
        _("accent color"),
        max_length=7,
        blank=True,
        validators=[
            RegexValidator(
                r"^#[0-9a-fA-F]{6}\Z", _("Enter the color as # and six hexadecimal digits, such as #0b6b78.")
            )
        ],
        help_text=_("The color of buttons and links. Its lightness is adjusted so that text stays readable."),
    )
    logo = models.BinaryField(_("logo"), blank=True, default=b"")
    logo_type = models.CharField(max_length=16, blank=True, editable=False)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    class Meta:
        verbose_name = _("branding")
        verbose_name_plural = _("branding")
        constraints = [models.CheckConstraint(name="brand_is_one", condition=models.Q(pk=ONLY))]

    def __str__(self) -> str:
        return self.accent or "-"
