"""View of mass orders: the text or file, the check, and the purchase."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from storefront.shop import customer_wallet, mass_order_parser, mass_orders, purchase
from storefront.web import query_params


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def mass_order(request: HttpRequest) -> HttpResponse:
    form = purchase.request_id(request.POST.get("form", ""))
    if request.method == "GET":
        return _render(request, {"form_number": form})
    text = query_params.without_nul(request.POST.get("text", ""))
    try:
        text = _read_upload(request) or text
        parsed = mass_order_parser.parse(text)
    except mass_order_parser.UnreadableMassOrder as problem:
        return _render(request, {"form_number": form, "text": text, "alert": str(problem)})
    mass_order = mass_orders.check_lines(
        request.user,
        parsed.lines,
        balance=customer_wallet.balance(request),
        form=form,
        offsets=mass_orders.parse_offsets(request.POST.get("before", "")),
    )
    is_buying = "place" in request.POST and "file" not in request.FILES
    if is_buying:
        confirmed = mass_orders.parse_confirmed(request.POST.get("confirmed", ""))
        mass_orders.place_orders(request.user, mass_order, form=form, confirmed=confirmed)
        customer_wallet.clear_cache(request)
    remaining_lines = [row.line for row in mass_order.rows if row.order is None]
    context = {"mass_order": mass_order, "is_done": is_buying, "ignored": parsed.ignored, "form_number": form}
    # All lines of the form were bought: the next text gets a new form number.
    if not remaining_lines:
        return _render(request, {**context, "form_number": purchase.new_request_id()})
    return _render(request, {**context, "text": parsed.text_of(remaining_lines)})


def _read_upload(request: HttpRequest) -> str:
    """Return the text of the uploaded file, or "" if there is none."""
    upload = request.FILES.get("file")
    return mass_order_parser.decode(upload.read(mass_order_parser.FILE_MAX + 1)) if upload else ""


def _render(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return render(
        request,
        "shop/mass.html",
        {"columns": mass_order_parser.COLUMNS, "most": mass_order_parser.LINES_MAX, **context},
    )
