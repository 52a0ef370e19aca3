"""The forms of a customer's account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from storefront.accounts.models import ApiKey, User

KEYS_MAX = 20


class KeyForm(forms.Form):
    """A name for a new API key."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("What will use it, so that you know later which one to revoke."),
    )

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.user = user

    def clean(self) -> dict[str, Any]:
        if ApiKey.objects.living().filter(user=self.user).count() >= KEYS_MAX:
            raise forms.ValidationError(
                _("You have %(count)d keys, which is the most. Revoke one first."), params={"count": KEYS_MAX}
            )
        return self.cleaned_data
