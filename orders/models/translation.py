"""Models of translated service and category texts; an empty text falls back to the original.

They are for people only. Price lists for programs do not contain them, so they do not change the catalog version.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models import languages
from orders.models.catalog import Category, Service, spellings


class ServiceText(models.Model):
    """The texts of a service in another language."""

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
    """The name of a category in another language."""

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
    """Return a condition for rows whose service at ``path`` has ``text`` in its original or translated name.

    Args:
        code: The language of the translation; the active one if omitted.
    """
    found, language = models.Q((f"{path}__name__icontains", text)), languages.lookup_language(code)
    if not language:
        return found
    translated = models.Q()
    for spelling in spellings(text):
        translated |= models.Q(name__icontains=spelling)
    texts = ServiceText.objects.filter(translated, language=language).order_by()
    return found | models.Q((f"{path}__in", texts.values("service")))
