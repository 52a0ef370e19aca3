"""The forms and actions with which an operator changes a ticket. They call ``support.tickets``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from storefront.support import tickets
from storefront.support.errors import NotMergeable
from storefront.support.models import CannedReply, Ticket
from storefront.support.models.ticket import TicketStatus
from storefront.web import private_files

AFTER_ANSWER = (TicketStatus.ANSWERED, TicketStatus.WAITING, TicketStatus.CLOSED)


class AnswerForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Message"),
        max_length=tickets.TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 8, "dir": "auto", "autofocus": True}),
    )
    uploads = private_files.FilesField(label=gettext_lazy("Files"), limit=tickets.MAX_FILES, required=False)
    status = forms.ChoiceField(
        label=gettext_lazy("Status after sending"),
        choices=[(status.value, status.label) for status in AFTER_ANSWER],
        initial=TicketStatus.ANSWERED,
        required=False,
    )


class CannedForm(forms.Form):
    """The choice of a canned reply, which is inserted into the answer's text. Nothing is sent."""

    canned = forms.ModelChoiceField(
        label=gettext_lazy("Canned reply"), queryset=CannedReply.objects.filter(is_active=True), required=False
    )


class AssignForm(forms.Form):
    assignee = forms.ModelChoiceField(
        label=gettext_lazy("Assignee"),
        queryset=get_user_model().objects.filter(is_staff=True, is_active=True).order_by("email"),
        required=False,
        empty_label=gettext_lazy("Unassigned"),
    )


class StatusForm(forms.Form):
    status = forms.ChoiceField(label=gettext_lazy("Status"), choices=TicketStatus.choices)


class MergeForm(forms.Form):
    into = forms.IntegerField(
        label=gettext_lazy("Merge into ticket"),
        min_value=1,
        max_value=2**62,
        help_text=gettext_lazy(
            "The number of another ticket of this customer. The messages of this ticket move there."
        ),
    )


def write(ticket: Ticket, author: Any, *, is_note: bool, text: str, uploads: Any, status: str) -> str:
    if is_note:
        tickets.note(ticket, author=author, text=text, uploads=uploads)
        return _("Internal note saved. The customer cannot see it.")
    tickets.answer(
        ticket, author=author, text=text, uploads=uploads, status=TicketStatus(status or TicketStatus.ANSWERED)
    )
    return _("Reply sent for ticket %s.") % ticket.pk


def assign(ticket: Ticket, actor: Any, *, assignee: Any) -> str:
    tickets.assign(ticket, assignee=assignee)
    return _("Assigned to %s.") % assignee if assignee else _("Ticket unassigned.")


def set_status(ticket: Ticket, actor: Any, *, status: str) -> str:
    tickets.set_status(ticket, status=TicketStatus(status))
    return _("Status changed to “%s”.") % TicketStatus(status).label


def merge(ticket: Ticket, actor: Any, *, into: int) -> str:
    target = Ticket.objects.filter(pk=into).first()
    if target is None:
        raise NotMergeable(_("Ticket %s does not exist.") % into)
    tickets.merge(ticket, into=target, actor=actor)
    return _("Ticket %(source)s merged into ticket %(target)s.") % {"source": ticket.pk, "target": into}


#: The small forms next to the conversation, and what each does.
ACTIONS: Mapping[str, tuple[type[forms.Form], Callable[..., str]]] = {
    "assign": (AssignForm, assign),
    "status": (StatusForm, set_status),
    "merge": (MergeForm, merge),
}


def fill_in(canned: CannedReply, ticket: Ticket) -> str:
    """Return the canned reply with the name of the ticket's customer and the number of its first order."""
    order = ticket.attached.values_list("order_id", flat=True).first()
    name = ticket.user.name or ticket.user.email.partition("@")[0]
    return canned.text.replace("{name}", name).replace("{order}", str(order or "").strip())
