"""Upload and show proofs of payment, for their customer and for staff. For others a proof does not exist."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from storefront.payments import crediting, gateways, payment_proofs
from storefront.payments import errors as payment_errors
from storefront.payments.models import Proof
from storefront.payments.views import paying

#: Maximum bytes of a request: the file, and what a form adds to it.
BODY_MAX = payment_proofs.SIZE_MAX + 64 * 1024
#: Maximum bytes that are read and dropped of a longer request, so that the browser reads the answer.
DRAIN_MAX = 64 * 1024 * 1024


@csrf_exempt  # the check reads the whole body, so the size is checked first; ``_send`` has the check
@require_POST
def send(request: HttpRequest, reference: str) -> HttpResponse:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > BODY_MAX:
        left = DRAIN_MAX
        while left > 0 and request.read(64 * 1024):
            left -= 64 * 1024
        messages.error(request, _("The file is larger than %d MB. Choose a smaller one.") % _megabytes())
        return redirect("payments:payment", reference)
    return _send(request, reference)


@csrf_protect
@login_required
def _send(request: HttpRequest, reference: str) -> HttpResponse:
    payment = paying.own_payment(request, reference)
    gateway = gateways.GATEWAYS.get(payment.gateway)
    if gateway is None or not gateway.is_available() or not gateway.takes_proofs:
        raise Http404
    comment = request.POST.get("comment", "")
    try:
        payment_proofs.add(payment, file=request.FILES.get("file"), comment=comment)
    except payment_proofs.InvalidFile as problem:
        return render(
            request, "payments/payment.html", paying.page_context(payment, problem=problem.code, comment=comment)
        )
    except payment_errors.AlreadyEnded:
        messages.error(request, _("This payment has ended. Start a new one."))
    except payment_errors.TooManyOpenPayments:
        messages.error(request, _("You can upload at most %d files for one payment.") % crediting.PROOFS_MAX)
    else:
        messages.success(request, _("Proof received. We'll review it and update this page."))
    return redirect("payments:payment", reference)


@require_safe
@login_required
def show(request: HttpRequest, reference: str, pk: int) -> FileResponse:
    """Serve a proof to its owner, and to staff who may view payments."""
    proof = get_object_or_404(Proof.objects.select_related("payment"), pk=pk, payment__reference=reference)
    is_staff = request.user.is_staff and request.user.has_perm("payments.view_payment")
    if proof.payment.user_id != request.user.pk and not is_staff:
        raise Http404
    return payment_proofs.serve(proof)


def _megabytes() -> int:
    return payment_proofs.SIZE_MAX // 1024**2
