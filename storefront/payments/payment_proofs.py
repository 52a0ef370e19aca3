"""Takes in the proofs that customers send: size and content are checked, the name is not even read."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import FileResponse

from storefront.payments import crediting
from storefront.payments.models import Payment, Proof
from storefront.web import file_types, private_files

#: Bytes.
SIZE_MAX = private_files.MAX_BYTES
#: What a proof can be, and how a row calls it. Pictures of a receipt do not move, and text proves nothing.
KINDS = {file_types.PNG: "png", file_types.JPEG: "jpeg", file_types.WEBP: "webp", file_types.PDF: "pdf"}
_TYPES = {kind: content_type for content_type, kind in KINDS.items()}


class BadFile(crediting.PaymentError):
    """A file that is no proof. ``code``: missing, too_large or kind."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def add(payment: Payment, *, file: Any, comment: str) -> Proof:
    """Keep ``file``, an upload, as a proof of ``payment``.

    Raises:
        BadFile, crediting.AlreadyEnded, crediting.TooManyOpenPayments.
    """
    if file is None or not file.size:
        raise BadFile("missing")
    try:
        kept = private_files.keep(file, folder="proofs", kinds=KINDS)
    except ValidationError as problem:
        raise BadFile(problem.code or "kind") from None
    try:
        return crediting.credit_proven(
            payment, key=kept.key, kind=KINDS[kept.content_type], size=kept.size, comment=comment
        )
    except BaseException:
        private_files.forget([kept])
        raise


def served(proof: Proof) -> FileResponse:
    """The file, under a name of ours. Raises Http404 where it is gone."""
    name = f"proof-{proof.pk}.{proof.kind}"
    return private_files.response(key=proof.key, name=name, content_type=_TYPES[proof.kind])
