"""The answers to requests with an Idempotency-Key, kept so that a repeated request gets the same one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from orders.db.encrypted_field import EncryptedField


class StoredAnswer(models.Model):
    """The first answer to a request of a customer with this key. It may contain a secret, so it is encrypted."""

    KEY_MAX = 255

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=KEY_MAX)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    location = models.CharField(max_length=200, blank=True)
    body = EncryptedField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name = "stored answer"
        verbose_name_plural = "stored answers"
        constraints = [models.UniqueConstraint(name="storedanswer_once", fields=["user", "key"])]

    def __str__(self) -> str:
        return self.key
