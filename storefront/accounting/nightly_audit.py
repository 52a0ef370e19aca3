"""The audit of the ledger as a task: it stores its result and notifies staff if anything is wrong."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.ledger import audit
from storefront.accounting.models import AuditRun
from storefront.accounts.models import User
from storefront.mail import outbox
from storefront.mail.layout import EmailContent, EmailLine
from storefront.mail.models import EmailKind

log = logging.getLogger("vitrine.accounting")

#: Staff with this permission are notified.
PERMISSION = "orders.view_transfer"
#: So many findings are stored, and so many are in the email.
STORED, LISTED = 500, 20
KEPT = timedelta(days=400)


def run() -> AuditRun:
    """Audit the ledger, store the result, and put an email to staff into the outbox if anything is wrong.

    Orders go on meanwhile, and a check of several statements may see half of a change. What is wrong is still wrong a
    moment later, so only what is found twice counts.
    """
    found = list(audit.findings())
    if found:
        again = set(audit.findings())
        found = [finding for finding in found if finding in again]
    with transaction.atomic():
        result = AuditRun.objects.create(count=len(found), findings=found[:STORED])
        AuditRun.objects.filter(ran_at__lt=timezone.now() - KEPT).delete()
        if found:
            log.error("the audit of the ledger found %s discrepancies, the first: %s", len(found), found[0])
            for user in _staff():
                outbox.write(user, kind=EmailKind.STAFF, content=lambda: _content(result))
    return result


def latest() -> AuditRun | None:
    return AuditRun.objects.order_by("-pk").first()


def _staff() -> Sequence[User]:
    people: Any = User.objects.filter(is_active=True, is_staff=True).order_by("pk")
    return [user for user in people if user.has_perm(PERMISSION)]


def _content(result: AuditRun) -> EmailContent:
    more = result.count - LISTED
    omitted = ngettext("%d more discrepancy is not listed here.", "%d more discrepancies are not listed here.", more)
    page = reverse("admin:accounting_auditrun_change", args=[result.pk])
    return EmailContent(
        subject=ngettext("%d discrepancy in the ledger", "%d discrepancies in the ledger", result.count) % result.count,
        paragraphs=[
            _("The nightly audit found entries that do not agree. Nothing was changed. Investigate each of them.")
        ],
        lines=[EmailLine(title=finding, detail="", url="") for finding in result.findings[:LISTED]],
        after=[omitted % more] if more > 0 else [],
        button=(_("View audit"), f"{settings.SHOP_URL}{page}"),
    )
