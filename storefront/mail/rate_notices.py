"""Emails to staff about exchange rates. ``storefront.currencies`` calls this by a dotted path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.rules import amounts
from storefront.accounts.models import User
from storefront.currencies.models import Currency
from storefront.currencies.updates import NoticeKind, RateNotice
from storefront.mail import outbox
from storefront.mail.layout import EmailContent, EmailLine
from storefront.mail.models import EmailKind

#: Staff with this permission are notified of exchange rates.
PERMISSION = "currencies.change_currency"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def keep(notice: RateNotice) -> None:
    """Put an email about ``notice`` into the outbox for everyone who may change rates; call it in its transaction."""
    compose = {NoticeKind.WAITING: _waiting, NoticeKind.OLD: _old}[notice.kind]
    content: Callable[[], EmailContent] = lambda: compose(notice)  # noqa: E731  # called in the language of each reader
    for user in _staff():
        outbox.write(user, kind=EmailKind.STAFF, content=content)


def _staff() -> Sequence[User]:
    people: Any = User.objects.filter(is_active=True, is_staff=True).order_by("pk")
    return [user for user in people if user.has_perm(PERMISSION)]


def _waiting(notice: RateNotice) -> EmailContent:
    count = len(notice.currencies)
    return EmailContent(
        subject=ngettext("%d exchange rate waits for approval", "%d exchange rates wait for approval", count) % count,
        paragraphs=[
            _("A rate of %(source)s is not used yet: it differs too much from the last one, or it is the first.")
            % {"source": notice.source},
            _("Payments in the currency are stopped until you approve or reject it."),
        ],
        lines=[
            EmailLine(
                title=row.code,
                detail=_("Current rate: %(old)s. New rate: %(new)s.")
                % {"old": _rate(row.rate), "new": _rate(row.pending_rate)},
                url=_page(row),
            )
            for row in notice.currencies
        ],
        button=(_("Review exchange rates"), _list()),
    )


def _old(notice: RateNotice) -> EmailContent:
    codes = ", ".join(row.code for row in notice.currencies)
    return EmailContent(
        subject=_("Exchange rates are not updated: %(codes)s") % {"codes": codes},
        paragraphs=[
            _("%(source)s has not sent a usable rate for some time. The last rate stays in use for now.")
            % {"source": notice.source},
        ],
        lines=[EmailLine(title=row.code, detail=_deadline(row), url=_page(row)) for row in notice.currencies],
        after=[_("Check the source, or enter the rates by hand.")],
        button=(_("Review exchange rates"), _list()),
    )


def _deadline(row: Currency) -> str:
    at = row.stale_at()
    if at is None or at <= timezone.now():
        return _("Payments in this currency have stopped.")
    when = date_format(timezone.localtime(at), "DATETIME_FORMAT")
    return _("Payments in this currency stop on %(when)s.") % {"when": when}


def _rate(rate: Any) -> str:
    return "–" if rate is None else amounts.plain(rate, 0)


def _page(row: Currency) -> str:
    return f"{settings.SHOP_URL}{reverse('admin:currencies_currency_change', args=[row.pk])}"


def _list() -> str:
    return f"{settings.SHOP_URL}{reverse('admin:currencies_currency_changelist')}"
