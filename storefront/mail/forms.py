"""The form of a customer's email preferences."""

from __future__ import annotations

from typing import Any

from django import forms

from storefront.mail.models import FLAGS, Preferences


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Preferences
        fields = tuple(FLAGS.values())

    @property
    def choices(self) -> list[Any]:
        return [self[name] for name in FLAGS.values()]
