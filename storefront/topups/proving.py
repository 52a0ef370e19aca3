"""Takes in the proofs that customers send: size and content are checked, the name is not even read."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import FileResponse

from storefront import filekinds, private_files
from storefront.topups import crediting
from storefront.topups.models import Proof, TopUp

#: Bytes.
SIZE_MAX = private_files.MAX_BYTES
#: What a proof can be, and how a row calls it. Pictures of a receipt do not move, and text proves nothing.
KINDS = {filekinds.PNG: "png", filekinds.JPEG: "jpeg", filekinds.WEBP: "webp", filekinds.PDF: "pdf"}
_TYPES = {kind: content_type for content_type, kind in KINDS.items()}


class BadFile(crediting.TopUpError):
    """A file that is no proof. ``code``: missing, too_large or kind."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def add(topup: TopUp, *, file: Any, comment: str) -> Proof:
    """Keeps ``file``, an upload, as a proof of ``topup``. Raises BadFile, crediting.AlreadyEnded, crediting.TooMany."""
    if file is None or not file.size:
        raise BadFile("missing")
    try:
        kept = private_files.keep(file, folder="proofs", kinds=KINDS)
    except ValidationError as problem:
        raise BadFile(problem.code or "kind") from None
    try:
        return crediting.proven(topup, key=kept.key, kind=KINDS[kept.content_type], size=kept.size, comment=comment)
    except BaseException:
        private_files.forget([kept])
        raise


def served(proof: Proof) -> FileResponse:
    """The file, under a name of ours. Raises Http404 where it is gone."""
    name = f"proof-{proof.pk}.{proof.kind}"
    return private_files.response(key=proof.key, name=name, content_type=_TYPES[proof.kind])
