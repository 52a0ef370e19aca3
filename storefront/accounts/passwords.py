"""What is said of a password that will not do."""

from __future__ import annotations

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.translation import ngettext


class LongEnough(MinimumLengthValidator):
    """Django's rule in words of ours: its own are not translated into Arabic."""

    def get_error_message(self) -> str:
        return ngettext(
            "This password is too short: write at least %(count)d character.",
            "This password is too short: write at least %(count)d characters.",
            self.min_length,
        ) % {"count": self.min_length}
