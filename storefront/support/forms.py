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
    uploads = private_files.FilesField(label=gettext_lazy("Files"), most=tickets.FILES_MOST, required=False)


class TicketForm(ReplyForm):
    subject = forms.CharField(
        label=gettext_lazy("Subject"), max_length=tickets.SUBJECT_MAX, widget=forms.TextInput(attrs={"dir": "auto"})
    )
    category = forms.ModelChoiceField(
        label=gettext_lazy("About"), queryset=TicketCategory.objects.none(), empty_label=gettext_lazy("Choose")
    )
    orders = forms.CharField(
        label=gettext_lazy("Order numbers"),
        required=False,
        max_length=400,
        help_text=gettext_lazy("If it is about orders of yours: their numbers, with commas between them."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "dir": "ltr"}),
    )
    field_order = ("subject", "category", "orders", "text", "uploads")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        offered = TicketCategory.objects.filter(is_active=True)
        if offered.exists():
            self.fields["category"].queryset = offered  # type: ignore[attr-defined]
        else:
            del self.fields["category"]

    def clean_orders(self) -> list[int]:
        found = []
        for piece in re.split(r"[\s,;#]+", self.cleaned_data["orders"].strip(" ,;#")):
            if not piece:
                continue
            number = query_params.number(piece)
            if number is None:
                raise forms.ValidationError(
                    _("“%(text)s” is no order number. Write only the numbers, such as 1204, 1210."),
                    params={"text": piece},
                )
            found.append(number)
        if len(found) > tickets.ORDERS_MOST:
            raise forms.ValidationError(
                _("At most %(most)d orders in one ticket."), params={"most": tickets.ORDERS_MOST}
            )
        return found


def words(problem: TicketError) -> str:
    """Return the error's text for the customer: what is wrong and what to do."""
    match problem:
        case TooManyOpen(most=most):
            return _(
                "You have %d open tickets, which is the most. Close one that is settled, or write in one of them."
            ) % (most)
        case TooFast():
            return _("You sent many messages within a few minutes. Nothing was sent: wait a little, then send it.")
        case TooMuch():
            return _("These are more files than can be sent in a day. Send the message without them, or fewer of them.")
        case NotTheirOrder(number=number):
            return _("Order %s is not one of your orders. Look up its number in the list of your orders.") % number
        case TextRefused(most=most):
            return _("Write a message of at most %d characters.") % most
    return _("This is not possible now.")


def refuse(form: forms.Form, problem: TicketError) -> None:
    """Add ``problem`` to the form, at its field if it has one."""
    field = "orders" if isinstance(problem, NotTheirOrder) and "orders" in form.fields else None
    form.add_error(field, words(problem))
