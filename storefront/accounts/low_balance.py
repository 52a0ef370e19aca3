"""The form of the low balance threshold. Below it the customer is notified by email and webhook."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from orders.models import Account
from orders.rules import amounts


class LowBalanceForm(forms.ModelForm):  # type: ignore[type-arg]
    """The balance below which the customer is notified."""

    class Meta:
        model = Account
        fields = ("warn_below",)
        labels = {"warn_below": _("Low balance threshold")}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["warn_below"]
        field.widget = forms.TextInput(attrs={"inputmode": "decimal", "dir": "ltr", "autocomplete": "off"})
        text = _(
            "In %(currency)s. We notify you when your balance falls below this amount. Leave empty to turn this off."
        )
        field.help_text = text % {"currency": settings.STORE_CURRENCY}
        if self.instance.warn_below is not None:
            self.initial["warn_below"] = amounts.plain(self.instance.warn_below)

    def clean_warn_below(self) -> Decimal | None:
        below: Decimal | None = self.cleaned_data["warn_below"]
        if below is not None and below <= 0:
            raise forms.ValidationError(_("Enter an amount greater than zero, or leave the field empty."))
        return below
