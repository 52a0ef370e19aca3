"""Many orders at once: the text or file, its check, and buying what was checked."""

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
        return _page(request, {"form_number": form})
    text = query_params.without_nul(request.POST.get("text", ""))
    try:
        text = _uploaded(request) or text
        written = mass_order_parser.parse(text)
    except mass_order_parser.UnreadableMassOrder as problem:
        return _page(request, {"form_number": form, "text": text, "alert": str(problem)})
    sheet = mass_orders.check_lines(
        request.user,
        written.lines,
        balance=customer_wallet.balance(request),
        form=form,
        offsets=mass_orders.read_offsets(request.POST.get("before", "")),
    )
    is_buying = "place" in request.POST and "file" not in request.FILES
    if is_buying:
        agreed = mass_orders.read_agreed(request.POST.get("agreed", ""))
        mass_orders.place_orders(request.user, sheet, form=form, agreed=agreed)
        customer_wallet.forget(request)
    staying = [row.line for row in sheet.rows if row.order is None]
    context = {"sheet": sheet, "is_done": is_buying, "ignored": written.ignored, "form_number": form}
    # A form that has bought all it holds is done with: what is written next is another one.
    if not staying:
        return _page(request, {**context, "form_number": purchase.new_request_id()})
    return _page(request, {**context, "text": written.text_of(staying)})


def _uploaded(request: HttpRequest) -> str:
    """The text of the uploaded file; "" where none was sent. Raises Unreadable."""
    upload = request.FILES.get("file")
    return mass_order_parser.decode(upload.read(mass_order_parser.FILE_MAX + 1)) if upload else ""


def _page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return render(
        request,
        "shop/mass.html",
        {"columns": mass_order_parser.COLUMNS, "most": mass_order_parser.LINES_MAX, **context},
    )
