"""The form of a payment method: its columns, and one field for each value that its gateway requires."""

from __future__ import annotations

from typing import Any

from babel import Locale
from django import forms
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from orders.admin import base
from storefront.currencies import rates
from storefront.payments.gateway import ConfigField, Gateway
from storefront.payments.models import Audience, PaymentMethod
from storefront.web import formats

#: Names of icons in the shop's icon set that suit a payment method, with their labels.
ICONS = (
    ("card", gettext_lazy("Card")),
    ("bank", gettext_lazy("Bank")),
    ("wallet", gettext_lazy("Purse")),
    ("coin", gettext_lazy("Coin")),
    ("phone", gettext_lazy("Phone")),
    ("globe", gettext_lazy("Globe")),
)
#: Begins the names of the form fields that hold values of the gateway.
PREFIX = "config_"
#: Maximum number of currencies without a rate that the form names.
_NAMED_CURRENCIES = 8


class MethodForm(base.ConcurrentForm):
    """The form of one payment method. ``form_for`` returns its subclass for a gateway."""

    gateway_class: type[Gateway] | None = None

    class Meta:
        model = PaymentMethod
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        gateway = self.gateway_class
        if gateway is None or not self.fields:  # there are no fields for staff who may only view
            return
        self._stored = _stored_values(self.instance)
        for one in gateway.config_fields:
            if PREFIX + one.name in self.fields:
                self._prepare(one)
        if "currency" in self.fields:
            current = self.instance.currency if self.instance.pk else None
            _prepare_currency(self.fields["currency"], gateway, current=current)

    def _prepare(self, one: ConfigField) -> None:
        """Fill in the stored value of a field; a secret is never sent to the browser."""
        field, stored = self.fields[PREFIX + one.name], self._stored.get(one.name, "")
        if not one.is_secret:
            self.initial.setdefault(PREFIX + one.name, stored or (one.choices[0][0] if one.choices else ""))
        elif stored:
            field.required = False
            mark = format_html(
                '<span class="status" data-status="completed">{}</span> {}',
                _("Stored"),
                _("Leave empty to keep the stored value."),
            )
            field.help_text = format_html("{}<br>{}", mark, one.help_text) if one.help_text else mark

    def clean_countries(self) -> str:
        codes = [code.strip().upper() for code in str(self.cleaned_data["countries"]).split(",") if code.strip()]
        known = Locale("en").territories
        unknown = [code for code in codes if len(code) != 2 or not code.isalpha() or code not in known]
        if unknown:
            raise forms.ValidationError(
                _("Not a country code: %s. Enter two letters for each country, separated by commas.")
                % ", ".join(unknown)[:80]
            )
        return ", ".join(dict.fromkeys(codes))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("audience") == Audience.CHOSEN and "customers" in cleaned and not cleaned["customers"]:
            self.add_error("customers", _("Choose at least one customer."))
        return cleaned

    @sensitive_variables("values", "text")
    def save(self, commit: bool = True) -> Any:
        """Put the entered values of the gateway into the row. An empty secret keeps the stored one."""
        gateway = self.gateway_class
        if gateway is not None and any(name.startswith(PREFIX) for name in self.fields):
            values = dict(self._stored)
            for one in gateway.config_fields:
                text = str(self.cleaned_data.get(PREFIX + one.name) or "").strip()
                if text or not one.is_secret:
                    values[one.name] = text
            names = {one.name for one in gateway.config_fields}
            secret_names = {one.name for one in gateway.config_fields if one.is_secret}
            values = {name: text for name, text in values.items() if name in names}
            self.instance.set_values(values, secret_names=secret_names)
        return super().save(commit)


def form_for(gateway: type[Gateway] | None) -> type[MethodForm]:
    """Return the form of a gateway's payment methods, with the fields of its configuration."""
    if gateway is None:
        return MethodForm
    fields = {PREFIX + one.name: _config_field(one) for one in gateway.config_fields}
    choices = {
        "icon": forms.ChoiceField(label=gettext_lazy("Icon"), choices=ICONS),
        "currency": forms.ChoiceField(label=gettext_lazy("Customers pay in")),
    }
    return type("GatewayMethodForm", (MethodForm,), {"gateway_class": gateway, **choices, **fields})


def _config_field(one: ConfigField) -> forms.Field:
    label = str(one.label)[:1].upper() + str(one.label)[1:]
    help_text = str(one.help_text)
    if one.is_known_later:
        help_text = (
            f"{help_text} {_('Save the method first and add it then; customers see the method after that.')}".strip()
        )
    required = one.is_required and not one.is_known_later
    facts: dict[str, Any] = {"label": label, "help_text": help_text, "required": required}
    if one.choices:
        return forms.ChoiceField(choices=one.choices, **facts)
    width = {"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}
    if one.is_secret and one.is_multiline:
        return forms.CharField(widget=forms.Textarea(attrs={**width, "rows": 4}), **facts)
    if one.is_secret:
        attrs = {**width, "autocomplete": "new-password"}
        return forms.CharField(widget=forms.PasswordInput(attrs=attrs), max_length=4000, **facts)
    if one.is_multiline:
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 5, "class": "vLargeTextField"}), **facts)
    return forms.CharField(widget=forms.TextInput(attrs=width), max_length=4000, **facts)


def _stored_values(method: PaymentMethod) -> dict[str, str]:
    """Return the stored values; without the secrets if they cannot be decrypted, so that they can be entered again."""
    try:
        return method.values()
    except ImproperlyConfigured:
        return dict(method.config)


def _prepare_currency(field: Any, gateway: type[Gateway], *, current: str | None) -> None:
    """Offer the currencies that customers can pay in: those with a rate, and the store currency.

    Args:
        current: The stored currency, which stays a choice; "" for the store currency, None for a new method.
    """
    store, payable = settings.STORE_CURRENCY, rates.currencies_with_rates()
    accepted = list(gateway.currencies) or sorted(payable)
    choices = [("", _("%s (store currency)") % _named(store))] if store in accepted or current == "" else []
    choices += [(code, _named(code)) for code in accepted if code in payable and code != store]
    if current and current not in dict(choices):
        choices.append((current, _("%s (no exchange rate)") % _named(current)))
    field.choices, field.required = choices, "" not in dict(choices)
    missing = [code for code in gateway.currencies if code not in payable]
    texts: list[Any] = [_("Amounts are set in %s and converted at the current exchange rate.") % store]
    if missing:
        shown = ", ".join(missing[:_NAMED_CURRENCIES]) + (" …" if len(missing) > _NAMED_CURRENCIES else "")
        texts.append(_("Not offered because there is no exchange rate: %s.") % shown)
    url = reverse("admin:currencies_currency_changelist")
    texts.append(format_html('<a href="{}">{}</a>', url, _("Set exchange rates")))
    field.help_text = format_html_join(" ", "{}", ((text,) for text in texts))


def _named(code: str) -> str:
    return f"{code} · {formats.currency_name(code)}"
