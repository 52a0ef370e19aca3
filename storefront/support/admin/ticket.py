"""The admin pages of tickets: the queue, with the longest waiting first, and the page to answer one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from orders.admin import base, formatting
from storefront.support import ticket_list, tickets
from storefront.support.admin import customer_facts, ticket_actions
from storefront.support.errors import TicketError
from storefront.support.models import Message, Ticket, TicketOrder
from storefront.support.models.ticket import TicketKind, TicketStatus
from storefront.web import keyset

#: The style sheet's class for each status: that of the most similar order status.
MARKS = {"open": "pending", "answered": "completed", "waiting": "partial", "closed": "canceled"}


class TicketStatusFilter(admin.SimpleListFilter):
    """Filter tickets. By default the list shows those that wait for staff; a search covers all tickets."""

    title = _("queue")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("not closed")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("waiting for staff")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all" or request.GET.get("q"):
            return queryset
        if self.value() == "open":
            return queryset.filter(closed_at=None)
        return queryset.filter(waiting_since__isnull=False)


class AssigneeFilter(admin.SimpleListFilter):
    title = _("assignee")
    parameter_name = "assignee"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("me", _("me")), ("nobody", _("unassigned"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "me":
                return queryset.filter(assignee_id=request.user.pk)
            case "nobody":
                return queryset.filter(assignee=None)
        return queryset


@admin.register(Ticket)
class TicketAdmin(base.IndexedSearchMixin, base.LargeTableMixin, base.ModelAdmin):
    list_display = ("number", "what", "customer", "about", "mark", "taken", "waiting", "changed")
    list_filter = (TicketStatusFilter, AssigneeFilter, "kind", "category")
    list_select_related = ("user", "category", "assignee")
    list_display_links = ("number", "what")
    search_fields = ("id",)
    search_help_text = _("Ticket number, order number, or the beginning of a customer's email address.")
    actions = ("take", "close")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(merged_into=None)

    def get_ordering(self, request: HttpRequest) -> Any:
        is_queue = not request.GET.get("q") and request.GET.get("queue") not in ("all", "open")
        return ("waiting_since", "id") if is_queue else ("-id",)

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Search by customer email, ticket number or order number, each through one index."""
        if "@" in text:
            return rows.filter(user__in=base.customers_with_email(text))
        if base.is_number(text):
            about = TicketOrder.objects.filter(order=int(text)).values_list("ticket", flat=True)[:200]
            return rows.filter(Q(pk=int(text)) | Q(pk__in=list(about)))
        return rows.none()

    def get_urls(self) -> list[Any]:
        def at(address: str, name: str, view: Any) -> Any:
            return path(address, self.admin_site.admin_view(view), name=f"support_ticket_{name}")

        return [
            at("<int:pk>/write/", "write", require_POST(self.write)),
            at("<int:pk>/act/<slug:name>/", "act", require_POST(self.act)),
            *super().get_urls(),
        ]

    # ---------------------------------------------------------------------------------------------- page

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        found = Ticket.objects.select_related("user", "category", "assignee")
        ticket = found.filter(pk=int(object_id) if base.is_number(object_id) else 0).first()
        if ticket is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if not self.has_view_permission(request, ticket) or request.method != "GET":
            raise PermissionDenied
        if ticket.merged_into_id:
            return redirect(base.page_url(Ticket(pk=ticket.merged_into_id)))
        if self.has_change_permission(request, ticket):
            tickets.read_by_staff(ticket)
        return self._page(request, ticket, ticket_actions.AnswerForm(auto_id="id_%s"))

    def write(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the answer or store the note. Inserting a canned reply only fills in the text and sends nothing."""
        ticket = self._ticket(request, pk)
        canned, do = ticket_actions.CannedForm(request.POST), request.POST.get("do", "")
        if do == "insert":
            chosen = canned.cleaned_data["canned"] if canned.is_valid() else None
            pieces = (request.POST.get("text", "").strip(), ticket_actions.fill_in(chosen, ticket) if chosen else "")
            initial = {"text": "\n\n".join(filter(None, pieces)), "status": request.POST.get("status", "")}
            return self._page(request, ticket, ticket_actions.AnswerForm(initial=initial))
        form = ticket_actions.AnswerForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(request, ticket, form)
        said = ticket_actions.write(ticket, request.user, is_note=do == "note", **form.cleaned_data)
        self.log_change(request, ticket, said)
        messages.success(request, said)
        following = Ticket.objects.waiting().exclude(pk=pk).first() if do == "next" else None
        return redirect(base.page_url(following or ticket))

    def act(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Run the action of one of the small forms next to the conversation."""
        ticket = self._ticket(request, pk)
        form_class, act = ticket_actions.ACTIONS.get(name, (None, None))
        if form_class is None or act is None:
            raise PermissionDenied
        form = form_class(request.POST)
        if not form.is_valid():
            messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
            return redirect(base.page_url(ticket))
        try:
            said = act(ticket, request.user, **form.cleaned_data)
        except TicketError as problem:
            messages.error(request, str(problem))
        else:
            self.log_change(request, ticket, said)
            messages.success(request, said)
        return redirect(base.page_url(ticket))

    def _ticket(self, request: HttpRequest, pk: int) -> Ticket:
        ticket = get_object_or_404(Ticket.objects.select_related("user", "category", "assignee"), pk=pk)
        if not self.has_change_permission(request, ticket):
            raise PermissionDenied
        return ticket

    def _page(self, request: HttpRequest, ticket: Ticket, form: ticket_actions.AnswerForm) -> HttpResponse:
        said = Message.objects.filter(ticket=ticket).select_related("author").prefetch_related("attachments")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Ticket %s") % ticket.pk,
            "opts": self.opts,
            "ticket": ticket,
            "mark": _mark(ticket),
            "page": keyset.page(said, request.GET, ticket_list.CONVERSATION_SIZE),
            "customer": customer_facts.customer(ticket, request.user),
            "attached": customer_facts.attached(ticket, request.user),
            "is_request": ticket.kind != TicketKind.QUESTION,
            "may_answer": self.has_change_permission(request, ticket),
            "form": form,
            "canned": ticket_actions.CannedForm(),
            "assign": ticket_actions.AssignForm(initial={"assignee": ticket.assignee_id}),
            "status": ticket_actions.StatusForm(initial={"status": ticket.status}, auto_id="id_put_%s"),
            "merge": ticket_actions.MergeForm(),
        }
        return TemplateResponse(request, "admin/support/ticket/page.html", context)

    # ---------------------------------------------------------------------------------------------- columns

    @admin.display(description=_("No."))
    def number(self, ticket: Ticket) -> int:
        return ticket.pk

    @admin.display(description=_("subject"))
    def what(self, ticket: Ticket) -> str:
        unread = format_html('<span class="dot" data-tone="info" title="{}"></span>', _("unread"))
        sign = unread if ticket.is_unread_by_staff else ""
        return format_html('<bdi class="clip" title="{0}">{1}{0}</bdi>', ticket.subject, sign)

    @admin.display(description=_("customer"))
    def customer(self, ticket: Ticket) -> str:
        return format_html('<bdi class="clip">{}</bdi>', ticket.user)

    @admin.display(description=_("category"))
    def about(self, ticket: Ticket) -> str:
        is_question = ticket.kind == TicketKind.QUESTION
        return str(ticket.category or formatting.NONE) if is_question else str(ticket.get_kind_display())

    @admin.display(description=_("status"))
    def mark(self, ticket: Ticket) -> str:
        return _mark(ticket)

    @admin.display(description=_("assignee"))
    def taken(self, ticket: Ticket) -> str:
        return format_html('<bdi class="clip">{}</bdi>', ticket.assignee or formatting.NONE)

    @admin.display(description=_("waiting time"))
    def waiting(self, ticket: Ticket) -> str:
        return formatting.ago(ticket.waiting_since)

    @admin.display(description=_("last message"))
    def changed(self, ticket: Ticket) -> str:
        return formatting.moment(ticket.changed_at)

    # ---------------------------------------------------------------------------------------------- actions

    @admin.action(description=_("Assign to me"), permissions=["change"])
    def take(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._each(request, queryset, lambda ticket: tickets.assign(ticket, assignee=request.user), "Assigned.")

    @admin.action(description=_("Close tickets"), permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._each(request, queryset, lambda ticket: tickets.set_status(ticket, status=TicketStatus.CLOSED), "Closed.")

    def _each(self, request: HttpRequest, rows: QuerySet[Any], act: Any, did: str) -> None:
        done = [act(ticket) for ticket in rows]
        for ticket in done:
            self.log_change(request, ticket, did)
        text = ngettext("%d ticket updated.", "%d tickets updated.", len(done)) % len(done)
        self.message_user(request, text, messages.SUCCESS)


def _mark(ticket: Ticket) -> str:
    return formatting.status_badge(MARKS[ticket.status], label=ticket.get_status_display())
