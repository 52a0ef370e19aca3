"""The models of published content: announcements, and info pages such as terms and frequently asked questions."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.models.languages import translation_languages

FORMAT_HINT = _(
    "Plain text. Separate paragraphs with an empty line. Begin headings with “# ” and list items with “- ”. "
    "Addresses that begin with https:// become links."
)


class AnnouncementKind(models.TextChoices):
    NEWS = "news", _("News")
    MAINTENANCE = "maintenance", _("Maintenance")
    UPDATE = "update", _("Update")


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    def begun(self) -> AnnouncementQuerySet:
        return self.filter(starts_at__lte=timezone.now())


class Announcement(models.Model):
    """News of the shop, on the updates page from ``starts_at`` on.

    If pinned, it is above every page until ``ends_at``.
    """

    kind = models.CharField(_("type"), max_length=12, choices=AnnouncementKind.choices, default=AnnouncementKind.NEWS)
    title = models.CharField(_("title"), max_length=150)
    text = models.TextField(_("text"), blank=True, max_length=10_000, help_text=FORMAT_HINT)
    is_pinned = models.BooleanField(
        _("pinned"),
        default=False,
        help_text=_("Shown at the top of every page until it ends or the reader dismisses it."),
    )
    starts_at = models.DateTimeField(_("starts at"), default=timezone.now)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True, help_text=_("Leave empty for no end."))

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        constraints = (
            models.CheckConstraint(
                name="announcement_ends_after_its_start",
                condition=models.Q(ends_at__isnull=True) | models.Q(ends_at__gt=models.F("starts_at")),
                violation_error_message=_("The end must be after the start."),
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def has_ended(self) -> bool:
        return self.ends_at is not None and self.ends_at <= timezone.now()


class InfoPageQuerySet(models.QuerySet["InfoPage"]):
    def shown(self, language: str) -> InfoPageQuerySet:
        """Return the published pages with ``heading`` and ``body`` in ``language``.

        A page without a text in that language has its own title and text.
        """
        own = PageText.objects.filter(page=models.OuterRef("pk"), language=language)
        texts: dict[str, Any] = {
            "heading": Coalesce(models.Subquery(own.values("title")[:1]), "title"),
            "body": Coalesce(models.Subquery(own.values("text")[:1]), "text"),
            "written_in": Coalesce(models.Subquery(own.values("language")[:1]), models.Value("")),
        }
        return self.filter(is_published=True).annotate(**texts)


class InfoPage(models.Model):
    """A text page such as terms or privacy. Its own text is used for languages without a PageText."""

    slug = models.SlugField(
        _("address"), unique=True, help_text=_("The last part of the page's address, such as terms or faq.")
    )
    title = models.CharField(_("title"), max_length=150)
    text = models.TextField(_("text"), max_length=100_000, help_text=FORMAT_HINT)
    position = models.PositiveIntegerField(
        _("position"), default=0, help_text=_("Order of the links in the footer of every page.")
    )
    is_published = models.BooleanField(_("published"), default=False)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects = InfoPageQuerySet.as_manager()

    class Meta:
        ordering = ("position", "id")
        verbose_name = _("page")
        verbose_name_plural = _("pages")

    def __str__(self) -> str:
        return self.title


class PageText(models.Model):
    """The text of a page in another language."""

    page = models.ForeignKey(InfoPage, models.CASCADE, related_name="texts", verbose_name=_("page"))
    language = models.CharField(_("language"), max_length=10, choices=translation_languages)
    title = models.CharField(_("title"), max_length=150)
    text = models.TextField(_("text"), max_length=100_000)

    class Meta:
        ordering = ("language",)
        verbose_name = _("translation")
        verbose_name_plural = _("translations")
        constraints = (models.UniqueConstraint(name="page_text_once", fields=("page", "language")),)

    def __str__(self) -> str:
        return f"{self.page_id} {self.language}"
