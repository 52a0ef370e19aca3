"""Proofs of payment: checked by content and size, stored privately, shown to their owner and staff only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as shop_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from storefront.accounts.models import User
from storefront.payments import crediting, payment_proofs
from storefront.payments.models import Payment, Proof
from storefront.payments.views import proofs
from storefront.web import private_files
from tests import factories
from tests.storefront.payments import payments
from tests.uploads import GIF, HTML, JPEG, PDF, SVG, WEBP, png


def upload(client: Client, payment: Payment, content: bytes, *, name: str = "receipt.png", comment: str = "") -> Any:
    file = SimpleUploadedFile(name, content, content_type="image/png")
    return client.post(f"/wallet/payments/{payment.reference}/proofs/", {"file": file, "comment": comment})


# ------------------------------------------------------------------------------------------------ what is a proof


@pytest.mark.parametrize(
    "content", [b"GIF89a" + HTML, GIF, b"", HTML, SVG, b"paid at noon", b"PK\x03\x04" + b"\x00" * 30]
)
def test_only_still_images_and_pdf_are_accepted_as_proofs(content: bytes, nadia: User) -> None:
    file = SimpleUploadedFile("receipt.png", content, "image/png")
    with pytest.raises(payment_proofs.InvalidFile):
        payment_proofs.add(payments.manual(nadia), file=file, comment="")


@pytest.mark.parametrize(("content", "kind"), [(png(), "png"), (JPEG, "jpeg"), (PDF, "pdf"), (WEBP, "webp")])
def test_the_type_of_a_proof_is_detected_from_its_content(content: bytes, kind: str, nadia: User) -> None:
    file = SimpleUploadedFile("receipt.exe", content, "application/x-msdownload")
    assert payment_proofs.add(payments.manual(nadia), file=file, comment="").kind == kind


# ------------------------------------------------------------------------------------------------ sending


def test_a_proof_is_stored_and_puts_the_payment_in_review(page: Client, nadia: User, tmp_path: Path) -> None:
    payment = payments.manual(nadia)
    answer = upload(page, payment, png(), name="../../../static/evil.html", comment="paid at\nnoon")
    assert answer.status_code == 302
    payment.refresh_from_db()
    assert (payment.status, payment.is_in_review) == ("waiting", True)
    proof = Proof.objects.get()
    assert (proof.kind, proof.size, proof.comment) == ("png", len(png()), "paid at noon")
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert file.is_relative_to(tmp_path / "private" / "proofs")
    assert file.name == Path(proof.key).name
    assert "evil" not in proof.key
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "content"), [("a.png", HTML), ("a.svg", SVG), ("a.png", SVG), ("a.jpg", png() + HTML)]
)
def test_a_file_is_checked_by_content_not_by_name(
    page: Client, nadia: User, name: str, content: bytes, tmp_path: Path
) -> None:
    payment = payments.manual(nadia)
    answer = upload(page, payment, content, name=name, comment="kept <b>")
    assert "is not a PNG, JPEG, or WebP image or a PDF" in answer.content.decode()
    assert "kept &lt;b&gt;" in answer.content.decode()
    assert not Proof.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_large_file_is_refused(page: Client, nadia: User) -> None:
    payment = payments.manual(nadia)
    answer = upload(page, payment, png() + b"\x00" * (payment_proofs.SIZE_MAX - len(png()) + 1))
    assert "larger than 5 MB" in answer.content.decode()
    assert not Proof.objects.exists()


def test_an_oversized_request_is_not_parsed(page: Client, nadia: User) -> None:
    payment = payments.manual(nadia)
    answer = upload(page, payment, b"\x00" * (proofs.BODY_MAX + 1))
    assert answer.url == f"/wallet/payments/{payment.reference}/"
    assert "larger than 5 MB" in page.get(answer.url).content.decode()
    assert not Proof.objects.exists()


def test_a_missing_or_empty_file_shows_an_error(page: Client, nadia: User) -> None:
    payment = payments.manual(nadia)
    answer = page.post(f"/wallet/payments/{payment.reference}/proofs/", {"comment": "paid!"})
    assert "Choose a file." in answer.content.decode()
    assert "Choose a file." in upload(page, payment, b"").content.decode()


def test_the_number_of_proofs_is_limited(page: Client, nadia: User, tmp_path: Path) -> None:
    payment = payments.manual(nadia)
    for content in (png(), JPEG, PDF, WEBP, png()):
        upload(page, payment, content)
    assert Proof.objects.count() == crediting.PROOFS_MAX == 5
    upload(page, payment, png())
    assert Proof.objects.count() == 5
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 5


def test_proofs_for_ended_or_foreign_payments_are_rejected(page: Client, nadia: User, tmp_path: Path) -> None:
    ended = payments.manual(nadia)
    crediting.expire(ended)
    assert "has ended" in page.get(upload(page, ended, png()).url).content.decode()
    other = payments.manual(factories.customer("0"))
    assert upload(page, other, png()).status_code == 404
    assert upload(page, payments.demo(nadia), png()).status_code == 404  # this gateway asks for no proof
    assert upload(Client(), other, png()).url.startswith("/account/login/")
    assert not Proof.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_form_of_another_site_is_rejected(nadia: User) -> None:
    payment = payments.manual(nadia)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(nadia)
    assert upload(strict, payment, png()).status_code == 403
    assert not Proof.objects.exists()


# ------------------------------------------------------------------------------------------------ showing


def address(payment: Payment) -> str:
    return f"/wallet/payments/{payment.reference}/proofs/{payment.proofs.get().pk}/"


def test_a_proof_is_visible_to_its_owner_and_staff_only(page: Client, nadia: User) -> None:
    payment = payments.with_proof(nadia)
    assert page.get(address(payment)).getvalue() == png()
    assert factories.signed_in(factories.staff("view_payment")).get(address(payment)).getvalue() == png()
    curious = factories.staff("view_order", email="curious@example.com")
    for stranger in (factories.customer("0"), curious):
        assert factories.signed_in(stranger).get(address(payment)).status_code == 404
    assert Client().get(address(payment)).url.startswith("/account/login/")
    # The number alone is not enough, not even with the reference of one's own payment.
    mine = payments.manual(stranger, method=payments.bank("Other"))
    wrong = f"/wallet/payments/{mine.reference}/proofs/{payment.proofs.get().pk}/"
    assert factories.signed_in(stranger).get(wrong).status_code == 404


@pytest.mark.parametrize(
    ("content", "kind", "shown"), [(png(), "image/png", "inline"), (PDF, "application/pdf", "attachment")]
)
def test_a_proof_is_served_with_its_detected_type(
    page: Client, nadia: User, content: bytes, kind: str, shown: str
) -> None:
    payment = payments.manual(nadia)
    upload(page, payment, content, name="x.html")
    answer = page.get(address(payment))
    assert answer["Content-Type"] == kind
    assert answer["Content-Disposition"].startswith(f'{shown}; filename="proof-')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert answer["Cache-Control"] == "private, no-store"


def test_a_proof_has_no_public_url(page: Client, nadia: User) -> None:
    key = payments.with_proof(nadia).proofs.get().key
    for place in ("/static/", "/media/", "/private/", "/var/private/", "/static/../private/", "/"):
        assert page.get(f"{place}{key}").status_code in (301, 404)
    with pytest.raises(ValueError, match="no URL"):
        private_files.PrivateStorage().url(key)
    private = Path(private_files.PrivateStorage().path("x")).parent
    assert not private.is_relative_to(Path(shop_settings.STATIC_ROOT))


def test_a_deleted_file_is_not_found(page: Client, nadia: User) -> None:
    payment = payments.with_proof(nadia)
    private_files.PrivateStorage().delete(payment.proofs.get().key)
    assert page.get(address(payment)).status_code == 404
