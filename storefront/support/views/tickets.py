"""The customer's pages of tickets: the list, a new ticket, the conversation and its files."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from orders.models import Order
from storefront.support import forms, order_requests, ticket_list, tickets
from storefront.support.errors import HandledAutomatically, RequestAlreadyMade, TicketError
from storefront.support.models import Attachment, Ticket
from storefront.support.models.ticket import TicketKind
from storefront.web import private_files, query_params


@require_safe
@login_required
def list_page(request: HttpRequest) -> HttpResponse:
    return render(request, "support/tickets.html", {"ticket_list": ticket_list.list_tickets(request.user, request.GET)})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Show the form of a new ticket; ``?order=17`` fills in the order's number."""
    number = query_params.number(request.GET.get("order", ""))
    form = forms.TicketForm(request.POST or None, request.FILES or None, initial={"orders": number or ""})
    if request.method == "POST" and form.is_valid():
        try:
            new_ticket = tickets.open_ticket(request.user, **form.cleaned_data)
        except TicketError as problem:
            forms.refuse(form, problem)
        else:
            messages.success(request, _("Ticket opened. We'll reply here."))
            return redirect("support:ticket", new_ticket.pk)
    return render(request, "support/new.html", {"form": form})


@require_POST
@login_required
def request_for_order(request: HttpRequest) -> HttpResponse:
    """Open a ticket with one click on the order's page, or show the one that already contains the request."""
    number = query_params.number(request.POST.get("order", ""))
    order = get_object_or_404(Order.objects.of(request.user).select_related("service", "user"), pk=number)
    try:
        new_ticket = order_requests.open_request(order, kind=TicketKind(request.POST.get("kind", "")))
    except ValueError:
        messages.error(request, _("Choose what you want to request."))
    except RequestAlreadyMade as problem:
        messages.info(request, _("You have already requested this. Reply here to add details."))
        return redirect("support:ticket", problem.ticket.pk)
    except HandledAutomatically as problem:
        messages.error(request, str(problem.why))
    except TicketError as problem:
        messages.error(request, forms.error_text(problem))
    else:
        messages.success(request, _("Request sent. We'll reply here."))
        return redirect("support:ticket", new_ticket.pk)
    return redirect("shop:order", order.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def ticket(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the conversation; a POST adds a message to it."""
    own = _own(request, pk)
    form = forms.ReplyForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            message = tickets.reply(own, **form.cleaned_data)
        except TicketError as problem:
            forms.refuse(form, problem)
        else:
            return redirect("support:ticket", message.ticket_id)
    if own.merged_into_id:
        return redirect("support:ticket", own.merged_into_id)
    tickets.read_by_customer(own)
    return render(
        request,
        "support/ticket.html",
        {**_page_context(own), "form": form, "page": ticket_list.conversation(own, request.GET)},
    )


@never_cache
@require_safe
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the messages since the page was rendered; 204 if nothing has changed."""
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    own = _own(request, pk)
    if own.merged_into_id:
        return HttpResponseClientRefresh()
    if ticket_list.mark(own) == request.GET.get("seen"):
        return HttpResponse(status=204)
    new_messages = ticket_list.newer(own, ticket_list.newest_seen(request.GET))
    tickets.read_by_customer(own)
    return render(request, "support/_live.html", {**_page_context(own), "new_messages": new_messages, "is_live": True})


@require_POST
@login_required
def close(request: HttpRequest, pk: int) -> HttpResponse:
    tickets.close(_own(request, pk))
    messages.success(request, _("This ticket is closed. Reply to reopen it."))
    return redirect("support:ticket", pk)


@require_GET
def file(request: HttpRequest, pk: int) -> FileResponse:
    """Serve an attachment to the ticket's customer and to staff who may view tickets; for others it does not exist."""
    found = get_object_or_404(Attachment.objects.select_related("message__ticket"), pk=pk)
    message, user = found.message, request.user
    is_customers = message.ticket.user_id == user.pk and not message.is_internal
    is_for_staff = user.is_active and getattr(user, "is_staff", False) and user.has_perm("support.view_ticket")
    if not (is_customers or is_for_staff):
        raise Http404
    return private_files.response(key=found.key, name=found.name, content_type=found.content_type)


def _own(request: HttpRequest, pk: int) -> Ticket:
    """Return the customer's own ticket. Any other gives 404, as if it did not exist."""
    return get_object_or_404(Ticket.objects.select_related("category", "user"), pk=pk, user_id=request.user.pk)


def _page_context(own: Ticket) -> dict[str, Any]:
    return {"ticket": own, "mark": ticket_list.mark(own), "orders": ticket_list.orders_of(own)}
