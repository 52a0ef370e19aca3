"""Takes in the proofs that customers send: size and content are checked, the name is not even read."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.http import HttpResponse

from storefront.topups import crediting, filekinds
from storefront.topups.models import Proof, TopUp

#: Bytes.
SIZE_MAX = 5 * 1024 * 1024


class BadFile(crediting.TopUpError):
    """A file that is no proof. ``code``: missing, too_large or kind."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def store() -> Storage:
    """Where proofs lie: outside of everything that is served by its path."""
    return storages["private"]


def add(topup: TopUp, *, file: Any, comment: str) -> Proof:
    """Keeps ``file``, an upload, as a proof of ``topup``. Raises BadFile, crediting.AlreadyEnded, crediting.TooMany."""
    if file is None or not file.size:
        raise BadFile("missing")
    if file.size > SIZE_MAX:
        raise BadFile("too_large")
    content = file.read(SIZE_MAX + 1)
    kind = filekinds.kind_of(content)
    if kind is None:
        raise BadFile("kind")
    key = store().save(f"proofs/{secrets.token_hex(16)}.{kind}", ContentFile(content))
    try:
        return crediting.proven(topup, key=key, kind=kind, size=len(content), comment=comment)
    except BaseException:
        store().delete(key)
        raise


def served(proof: Proof) -> HttpResponse:
    """The file, so that a browser takes it for nothing but what it is: no sniffing, no scripts, in no other page.

    Raises FileNotFoundError.
    """
    with store().open(proof.key) as file:
        content = file.read(SIZE_MAX)
    shown = "inline" if proof.is_image else "attachment"
    return HttpResponse(
        content,
        headers={
            "Content-Type": filekinds.TYPES[proof.kind],
            "Content-Disposition": f'{shown}; filename="proof-{proof.pk}.{proof.kind}"',
            "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-store",
        },
    )
