"""Proofs of payment: taken from customers, shown to them and to staff. Nobody else learns that one exists."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from storefront.topups import crediting, gateways, proving
from storefront.topups.models import Proof
from storefront.topups.views import paying

#: The file and what a form adds to it.
BODY_MAX = proving.SIZE_MAX + 64 * 1024
#: Of a longer request so much is read and dropped, so that the browser is there for the answer.
DRAIN_MAX = 64 * 1024 * 1024


@csrf_exempt  # the check reads the whole body, so its size is judged before; then it is made all the same
@require_POST
def send(request: HttpRequest, reference: str) -> HttpResponse:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > BODY_MAX:
        left = DRAIN_MAX
        while left > 0 and request.read(64 * 1024):
            left -= 64 * 1024
        messages.error(request, _("The file is larger than %d MB. Send a smaller picture of it.") % _megabytes())
        return redirect("topups:topup", reference)
    return _send(request, reference)


@csrf_protect
@login_required
def _send(request: HttpRequest, reference: str) -> HttpResponse:
    topup = paying.own(request, reference)
    gateway = gateways.find(topup.gateway)
    if gateway is None or not gateway.takes_proofs:
        raise Http404
    comment = request.POST.get("comment", "")
    try:
        proving.add(topup, file=request.FILES.get("file"), comment=comment)
    except proving.BadFile as problem:
        return render(request, "topups/topup.html", paying.shown(topup, problem=problem.code, comment=comment))
    except crediting.AlreadyEnded:
        messages.error(request, _("This top-up has ended. Start a new one."))
    except crediting.TooMany:
        messages.error(request, _("You have sent %d files, which is the most.") % crediting.PROOFS_MAX)
    else:
        messages.success(request, _("Thank you. We look at it and tell you here."))
    return redirect("topups:topup", reference)


@require_safe
@login_required
def show(request: HttpRequest, reference: str, pk: int) -> FileResponse:
    """For its owner, and for staff who may see top-ups."""
    proof = get_object_or_404(Proof.objects.select_related("top_up"), pk=pk, top_up__reference=reference)
    is_staff = request.user.is_staff and request.user.has_perm("topups.view_topup")
    if proof.top_up.user_id != request.user.pk and not is_staff:
        raise Http404
    return proving.served(proof)


def _megabytes() -> int:
    return proving.SIZE_MAX // 1024**2
