"""The layout of emails, as text and as HTML, in the reader's language and time zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from storefront.accounts.models import User
from storefront.brand.models import ONLY, Brand
from storefront.mail import email_preferences
from storefront.mail.models import FLAGS, EmailKind
from storefront.web.plain_text import one_line

_ACCENT = "#0b6b78"
SUBJECT_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailLine:
    """One item of a list in an email."""

    title: str
    detail: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailContent:
    """The content of an email as plain text, which the layout escapes.

    ``button`` is a label and an address of the shop.
    """

    subject: str
    paragraphs: Sequence[str]
    facts: Sequence[tuple[str, str]] = ()
    lines: Sequence[EmailLine] = ()
    quote: str = ""
    after: Sequence[str] = ()
    button: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    subject: str
    text: str
    html: str


@contextmanager
def reader_locale(user: User | None) -> Iterator[str]:
    """Activate the language and time zone of ``user`` and yield the language.

    Without a supported language of the user, the active language is used.
    """
    supported = dict(settings.LANGUAGES)
    candidates = (user.language if user else "", translation.get_language() or "")
    language = next((code for code in candidates if code in supported), settings.LANGUAGE_CODE)
    with translation.override(language), timezone.override(user.zone if user else None):
        yield language


def render(content: EmailContent, *, kind: EmailKind, user: User | None) -> RenderedEmail:
    """Render an email as text and HTML. Call it within ``reader_locale``."""
    accent = Brand.objects.filter(pk=ONLY).values_list("accent", flat=True).first() or _ACCENT
    context: dict[str, Any] = {
        "email": content,
        "subject": one_line(content.subject, SUBJECT_MAX),
        "shop_name": settings.SHOP_NAME,
        "shop_url": settings.SHOP_URL,
        "accent": accent,
        "accent_text": "#ffffff" if _is_dark(accent) else "#111111",
        "unsubscribe_url": email_preferences.unsubscribe_url(user.pk, kind) if user and kind in FLAGS else "",
    }
    return RenderedEmail(
        context["subject"],
        render_to_string("mail/email.txt", context).strip() + "\n",
        render_to_string("mail/email.html", context),
    )


def _is_dark(color: str) -> bool:
    """Return whether white is easier to read than black on ``#rrggbb``, by its relative luminance."""
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.179
