"""The form for creating and editing a webhook endpoint."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from providers.errors import AddressNotAllowed
from providers.http.addresses import check_address
from storefront.webhooks.models import FLAGS, Endpoint

HINTS = {
    "has_orders": _("An order's status changes or an order is refunded."),
    "has_refills": _("A refill is requested or its status changes."),
    "has_balance": _("Your balance falls below your threshold."),
    "has_prices": _("Prices of services change."),
}


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """An endpoint's URL and the events that it receives."""

    class Meta:
        model = Endpoint
        fields = ("url", *FLAGS.values())
        labels = {"url": _("Endpoint URL")}
        help_texts = HINTS
        widgets = {
            "url": forms.URLInput(attrs={"dir": "ltr", "autocomplete": "off", "spellcheck": "false"}),
        }

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip()
        allow_private = bool(settings.ALLOW_PRIVATE_WEBHOOKS)
        if not allow_private and not url.startswith("https://"):
            raise forms.ValidationError(_("The URL must start with https://."))
        try:
            check_address(url, allow_private=allow_private)
        except AddressNotAllowed:
            # Do not show the error's own text: it is written for the addresses of provider panels.
            raise forms.ValidationError(
                _(
                    "Enter a full public URL, such as https://shop.example/vitrine, without a username or password. "
                    "The port must be 443 or above 1023."
                )
            ) from None
        return url

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not any(data.get(name) for name in FLAGS.values()):
            raise forms.ValidationError(_("Select at least one event."))
        return data

    @property
    def choices(self) -> list[Any]:
        """Return the form fields of the events."""
        return [self[name] for name in FLAGS.values()]
