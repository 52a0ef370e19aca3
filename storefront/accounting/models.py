"""Models of accounting: the results of the nightly audit."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditRun(models.Model):
    """One run of the audit; ``findings`` are the first of its sentences, ``count`` is their number."""

    ran_at = models.DateTimeField(_("run at"), auto_now_add=True)
    count = models.PositiveIntegerField(_("discrepancies"))
    findings = models.JSONField(_("findings"), default=list)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("ledger audit")
        verbose_name_plural = _("ledger audits")

    def __str__(self) -> str:
        return f"{self.ran_at:%Y-%m-%d}"
