"""Store and serve the proofs that customers upload. Size and content are checked; the file name is ignored."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import FileResponse

from storefront.payments import crediting
from storefront.payments import errors as payment_errors
from storefront.payments.models import Payment, Proof
from storefront.web import file_types, private_files

#: Maximum size in bytes.
SIZE_MAX = private_files.MAX_BYTES
#: Accepted content types and their names in ``Proof.kind``. Animations are not needed for a receipt, and a text file
#: proves nothing.
KINDS = {file_types.PNG: "png", file_types.JPEG: "jpeg", file_types.WEBP: "webp", file_types.PDF: "pdf"}
_TYPES = {kind: content_type for content_type, kind in KINDS.items()}


class InvalidFile(payment_errors.PaymentError):
    """The file cannot be a proof. ``code`` is missing, too_large or type."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def add(payment: Payment, *, file: Any, comment: str) -> Proof:
    """Keep ``file``, an upload, as a proof of ``payment``.

    Raises:
        InvalidFile, payment_errors.AlreadyEnded, payment_errors.TooManyOpenPayments.
    """
    if file is None or not file.size:
        raise InvalidFile("missing")
    try:
        stored_file = private_files.store(file, folder="proofs", types=KINDS)
    except ValidationError as problem:
        raise InvalidFile(problem.code or "type") from None
    try:
        return crediting.add_proof(
            payment, key=stored_file.key, kind=KINDS[stored_file.content_type], size=stored_file.size, comment=comment
        )
    except BaseException:
        private_files.delete([stored_file])
        raise


def serve(proof: Proof) -> FileResponse:
    """Return the file under a name chosen by the shop.

    Raises:
        Http404: The file no longer exists.
    """
    name = f"proof-{proof.pk}.{proof.kind}"
    return private_files.response(key=proof.key, name=name, content_type=_TYPES[proof.kind])
