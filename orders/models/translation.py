"""What services and categories are called in other languages. An empty text falls back to the original.

They are for readers: price lists of programs know nothing of them, so the catalogue's stamp does not follow them.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models import languages
from orders.models.catalog import Category, Service, spellings


class ServiceText(models.Model):
    """A service in one more language."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="texts", verbose_name=_("service"))
    language = models.CharField(_("language"), max_length=10, choices=languages.translation_languages)
    name = models.CharField(_("name"), max_length=255, blank=True)
    description = models.TextField(_("description"), blank=True)

    class Meta:
        ordering = ["language"]
        verbose_name = _("translation")
        verbose_name_plural = _("translations")
        constraints = [models.UniqueConstraint(name="service_text_once", fields=["service", "language"])]

    def __str__(self) -> str:
        return str(self.get_language_display())


class CategoryText(models.Model):
    """A category in one more language."""

    category = models.ForeignKey(Category, models.CASCADE, related_name="texts", verbose_name=_("category"))
    language = models.CharField(_("language"), max_length=10, choices=languages.translation_languages)
    name = models.CharField(_("name"), max_length=200, blank=True)

    class Meta:
        ordering = ["language"]
        verbose_name = _("translation")
        verbose_name_plural = _("translations")
        constraints = [models.UniqueConstraint(name="category_text_once", fields=["category", "language"])]

    def __str__(self) -> str:
        return str(self.get_language_display())


def name_matches(path: str, text: str, code: str | None = None) -> models.Q:
    """Rows whose service at ``path`` has ``text`` in its name: as it was written, or in language ``code``.

    That is the reader's, unless told.
    """
    found, language = models.Q((f"{path}__name__icontains", text)), languages.lookup_language(code)
    if not language:
        return found
    translated = models.Q()
    for spelling in spellings(text):
        translated |= models.Q(name__icontains=spelling)
    texts = ServiceText.objects.filter(translated, language=language).order_by()
    return found | models.Q((f"{path}__in", texts.values("service")))
