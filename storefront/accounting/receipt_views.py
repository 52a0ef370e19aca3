"""Downloads of receipts, for the customer and for staff."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import translation
from django.views.decorators.http import require_safe

from storefront.accounting import receipt_pdf, receipts
from storefront.accounting.views import requires
from storefront.payments.models import Payment, PaymentStatus


@require_safe
@login_required
def own_receipt(request: HttpRequest, reference: str) -> HttpResponseBase:
    """Return the receipt of the customer's own payment, in the language of the page."""
    own = Payment.objects.of(request.user).select_related("user")
    return _answer(get_object_or_404(own, reference=reference, status=PaymentStatus.CREDITED))


@require_safe
@requires("payments.view_payment")
def receipt_file(request: HttpRequest, reference: str) -> HttpResponseBase:
    """Return the receipt of any customer's payment, in the customer's language."""
    payment = get_object_or_404(
        Payment.objects.select_related("user"), reference=reference, status=PaymentStatus.CREDITED
    )
    with translation.override(payment.user.language or translation.get_language()):
        return _answer(payment)


def _answer(payment: Payment) -> HttpResponse:
    receipt = receipts.issue(payment)
    headers = {"Content-Disposition": f'attachment; filename="receipt-{receipt.number}.pdf"'}
    return HttpResponse(receipt_pdf.render(receipt), content_type="application/pdf", headers=headers)
