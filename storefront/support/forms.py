"""The forms of support for customers, and the texts of its errors. The rules are those of ``support.tickets``."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from storefront.support import tickets
from storefront.support.errors import NotTheirOrder, TextRefused, TicketError, TooFast, TooManyOpen, TooMuch
from storefront.support.models import TicketCategory
from storefront.web import private_files, query_params


class ReplyForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Message"),
        max_length=tickets.TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
    )
    uploads = private_files.FilesField(label=gettext_lazy("Files"), limit=tickets.MAX_FILES, required=False)


class TicketForm(ReplyForm):
    subject = forms.CharField(
        label=gettext_lazy("Subject"), max_length=tickets.SUBJECT_MAX, widget=forms.TextInput(attrs={"dir": "auto"})
    )
    category = forms.ModelChoiceField(
        label=gettext_lazy("Category"),
        queryset=TicketCategory.objects.none(),
        empty_label=gettext_lazy("Choose a category"),
    )
    orders = forms.CharField(
        label=gettext_lazy("Order numbers"),
        required=False,
        max_length=400,
        help_text=gettext_lazy("If your question is about specific orders, enter their numbers, separated by commas."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "dir": "ltr"}),
    )
    field_order = ("subject", "category", "orders", "text", "uploads")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        active = TicketCategory.objects.filter(is_active=True)
        if active.exists():
            self.fields["category"].queryset = active  # type: ignore[attr-defined]
        else:
            del self.fields["category"]

    def clean_orders(self) -> list[int]:
        numbers = []
        for piece in re.split(r"[\s,;#]+", self.cleaned_data["orders"].strip(" ,;#")):
            if not piece:
                continue
            number = query_params.number(piece)
            if number is None:
                raise forms.ValidationError(
                    _("“%(text)s” is not an order number. Enter numbers only, such as 1204, 1210."),
                    params={"text": piece},
                )
            numbers.append(number)
        if len(numbers) > tickets.MAX_ORDERS:
            raise forms.ValidationError(
                _("You can add at most %(limit)d orders to a ticket."), params={"limit": tickets.MAX_ORDERS}
            )
        return numbers


def error_text(problem: TicketError) -> str:
    """Return the error's text for the customer: what is wrong and what to do."""
    match problem:
        case TooManyOpen(limit=limit):
            return _("You already have %d open tickets. Close one of them, or reply in one of them.") % limit
        case TooFast():
            return _("You have sent too many messages. Wait a few minutes, then try again.")
        case TooMuch():
            return _("You have reached the daily limit for files. Send the message with fewer files or without any.")
        case NotTheirOrder(number=number):
            return _("Order %s is not one of your orders. Check the number in your list of orders.") % number
        case TextRefused(limit=limit):
            return _("Enter a message of up to %d characters.") % limit
    return _("This is not possible right now.")


def refuse(form: forms.Form, problem: TicketError) -> None:
    """Add ``problem`` to the form, at its field if it has one."""
    field = "orders" if isinstance(problem, NotTheirOrder) and "orders" in form.fields else None
    form.add_error(field, error_text(problem))
