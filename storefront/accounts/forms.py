"""The forms of a customer's account: API keys and the profile."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from storefront.accounts import ip_addresses
from storefront.accounts.models import KEYS_MAX, ApiKey, User
from storefront.currencies import display
from storefront.web import formats

ADDRESSES_WIDGET = forms.Textarea(
    attrs={"rows": 3, "dir": "ltr", "spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
)


class AddressesMixin:
    """A form with the field ``addresses``: IP addresses or networks, one per line."""

    cleaned_data: dict[str, Any]

    def clean_addresses(self) -> str:
        """Normalize the addresses, one per line. The error names the wrong line, so nobody has to search for it."""
        try:
            return ip_addresses.to_text(ip_addresses.parse(self.cleaned_data["addresses"]))
        except ip_addresses.BadLine as error:
            raise forms.ValidationError(
                _("Line %(number)d, “%(line)s”, is not valid. Enter an address or network such as 198.51.100.0/24."),
                params={"number": error.number, "line": error.line},
            ) from None
        except ip_addresses.TooManyLines:
            raise forms.ValidationError(
                _("Enter at most %(count)d lines. Use a network instead of listing each address."),
                params={"count": ip_addresses.LINES_MAX},
            ) from None


class KeyForm(AddressesMixin, forms.ModelForm):  # type: ignore[type-arg]
    """The name, permissions and allowed addresses of a key. ``here`` is the address of the person who fills it in."""

    is_from_here = forms.BooleanField(required=False)

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = ("name", "has_read_scope", "has_order_scope", "has_get_writes", "addresses")
        labels = {
            "has_get_writes": _("Allow orders by GET"),
            "has_read_scope": _("Read"),
            "has_order_scope": _("Place orders"),
        }
        help_texts = {"name": _("Name the program that uses this key, so you can tell your keys apart.")}
        widgets = {"addresses": ADDRESSES_WIDGET}

    def __init__(self, *args: Any, here: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["name"].required = True
        self.here = here
        if here:
            self.fields["is_from_here"].label = _("Add my current IP address, %s") % here
        else:
            del self.fields["is_from_here"]

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if not (data.get("has_read_scope") or data.get("has_order_scope")):
            raise forms.ValidationError(_("Select at least one permission: read or place orders."))
        if data.get("is_from_here") and "addresses" in data:
            lines = ip_addresses.parse(f"{data['addresses']}\n{self.here}")
            data["addresses"] = ip_addresses.to_text(lines)
        return data

    def columns(self) -> dict[str, Any]:
        """Return the values to write, by the names of ApiKey's columns."""
        return {name: self.cleaned_data[name] for name in self._meta.fields or ()}


class NewKeyForm(KeyForm):
    class Meta(KeyForm.Meta):
        fields = (*KeyForm.Meta.fields, "is_sandbox")
        help_texts = {
            **KeyForm.Meta.help_texts,
            "is_sandbox": _(
                "For testing: orders are accepted but not delivered or charged. You can't change this later."
            ),
        }

    def add_limit_error(self) -> None:
        """Add the error that the customer already has the maximum number of keys."""
        self.add_error(
            None,
            forms.ValidationError(
                _("You've reached the limit of %(count)d API keys. Revoke one first."), params={"count": KEYS_MAX}
            ),
        )


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("name", "language", "time_zone", "currency")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        languages = [("", _("Browser default")), *settings.LANGUAGES]
        zones = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
        time_zones = [(name, name.replace("_", " ")) for name in ("UTC", *zones)]
        self.fields["language"] = forms.ChoiceField(label=_("Language"), choices=languages, required=False)
        self.fields["time_zone"] = forms.ChoiceField(
            label=_("Time zone"),
            choices=[("", _("Shop default (%s)") % settings.TIME_ZONE), *time_zones],
            required=False,
        )
        self._set_currency_choices()

    def _set_currency_choices(self) -> None:
        """Set the currencies that the shop can display as choices; if there are none, remove the field."""
        names = sorted((formats.currency_name(code), code) for code in display.active())
        if not names:
            del self.fields["currency"]
            return
        shop_currency = settings.STORE_CURRENCY
        choices = [(code, f"{name} ({code})") for name, code in names]
        self.fields["currency"] = forms.ChoiceField(
            label=_("Currency"),
            choices=[("", _("Shop currency only (%s)") % shop_currency), *choices],
            required=False,
            help_text=_("Approximate amounts in this currency are shown with ≈. You always pay in %s.") % shop_currency,
        )
