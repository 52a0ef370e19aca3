"""The password length validator with translated messages."""

from __future__ import annotations

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.translation import ngettext


class LongEnough(MinimumLengthValidator):
    """Django's validator with our own message, because Django's is not translated into Arabic."""

    def get_error_message(self) -> str:
        return ngettext(
            "This password is too short: write at least %(count)d character.",
            "This password is too short: write at least %(count)d characters.",
            self.min_length,
        ) % {"count": self.min_length}
