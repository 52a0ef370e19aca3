"""Many orders at once: the text or file, its check, and buying what was checked."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from storefront import asking
from storefront.shop import masslines, massorder, purchase, purse


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def mass_order(request: HttpRequest) -> HttpResponse:
    form = purchase.request_id(request.POST.get("form", ""))
    if request.method == "GET":
        return _page(request, {"form_number": form})
    text = asking.without_nul(request.POST.get("text", ""))
    try:
        text = _uploaded(request) or text
        written = masslines.read(text)
    except masslines.Unreadable as problem:
        return _page(request, {"form_number": form, "text": text, "alert": str(problem)})
    sheet = massorder.check(
        request.user,
        written.lines,
        balance=purse.balance(request),
        form=form,
        offsets=massorder.read_offsets(request.POST.get("before", "")),
    )
    is_buying = "place" in request.POST and "file" not in request.FILES
    if is_buying:
        agreed = massorder.read_agreed(request.POST.get("agreed", ""))
        massorder.place(request.user, sheet, form=form, agreed=agreed)
        purse.forget(request)
    staying = [row.line for row in sheet.rows if row.order is None]
    context = {"sheet": sheet, "is_done": is_buying, "ignored": written.ignored, "form_number": form}
    # A form that has bought all it holds is done with: what is written next is another one.
    if not staying:
        return _page(request, {**context, "form_number": purchase.new_request_id()})
    return _page(request, {**context, "text": written.text_of(staying)})


def _uploaded(request: HttpRequest) -> str:
    """The text of the uploaded file; "" where none was sent. Raises Unreadable."""
    upload = request.FILES.get("file")
    return masslines.decoded(upload.read(masslines.FILE_MAX + 1)) if upload else ""


def _page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return render(request, "shop/mass.html", {"columns": masslines.COLUMNS, "most": masslines.LINES_MAX, **context})
