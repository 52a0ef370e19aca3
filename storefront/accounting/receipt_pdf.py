"""A receipt as PDF, in the active language. Pages in Arabic are laid out from right to left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from orders.rules import amounts
from storefront.accounting.models import Receipt
from storefront.web import formats

FONTS = Path(__file__).parent / "fonts"
_MARGIN, _LABEL, _LINE = 20, 65, 8  # millimeters
_GREY, _BLACK = 110, 20
#: Isolates keep amounts together in browsers; here the shaping engine does.
_ISOLATES = dict.fromkeys(map(ord, formats.LEFT_TO_RIGHT + formats.END))


def render(receipt: Receipt) -> bytes:
    """Return the PDF of ``receipt`` in the active language."""
    page = _Page()
    page.heading(_("Receipt %s") % receipt)
    page.block(list(_seller(receipt)))
    page.rows(_facts(receipt))
    page.rows(_amounts(receipt))
    return bytes(page.output())


class _Page(FPDF):
    """One A4 page with the fonts embedded, and text aligned to the side on which the language begins."""

    def __init__(self) -> None:
        super().__init__(format="A4")
        self.add_font("DejaVu", fname=FONTS / "DejaVuSans.ttf")
        self.add_font("DejaVu", style="B", fname=FONTS / "DejaVuSans-Bold.ttf")
        self.set_text_shaping(True)
        self.is_mirrored = get_language_bidi()
        self.align = "R" if self.is_mirrored else "L"
        self.set_margin(_MARGIN)
        self.set_title(_("Receipt"))
        self.add_page()

    def heading(self, text: str) -> None:
        self.set_font("DejaVu", style="B", size=18)
        self._line(text, height=14)
        self.ln(4)

    def block(self, lines: list[str]) -> None:
        self.set_font("DejaVu", size=10)
        for text in lines:
            self._line(text, height=5.5)
        self.ln(6)

    def rows(self, rows: Iterator[tuple[str, str, bool]]) -> None:
        """Write rows of a label and a value, mirrored where the language runs from right to left."""
        for label, value, is_bold in rows:
            self.set_draw_color(220)
            self.line(_MARGIN, self.get_y(), self.w - _MARGIN, self.get_y())
            width = self.w - 2 * _MARGIN - _LABEL
            cells = [(_LABEL, label, self.align, _GREY), (width, value, "L" if self.is_mirrored else "R", _BLACK)]
            self.set_font("DejaVu", style="B" if is_bold else "", size=10)
            top = bottom = self.get_y()
            left = float(_MARGIN)
            for cell_width, text, align, gray in reversed(cells) if self.is_mirrored else cells:
                self.set_text_color(gray)
                self.set_xy(left, top)
                self.multi_cell(
                    cell_width, _LINE, text.translate(_ISOLATES), align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT
                )
                bottom = max(bottom, self.get_y())
                left += cell_width
            self.set_xy(_MARGIN, bottom)
        self.ln(8)

    def _line(self, text: str, *, height: float) -> None:
        self.set_text_color(_BLACK)
        self.multi_cell(0, height, text, align=self.align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _seller(receipt: Receipt) -> Iterator[str]:
    seller = receipt.seller
    yield seller.get("name") or settings.SHOP_NAME
    yield from (line.strip() for line in seller.get("address", "").splitlines() if line.strip())
    if seller.get("tax_number"):
        yield _("Tax number: %s") % seller["tax_number"]


def _facts(receipt: Receipt) -> Iterator[tuple[str, str, bool]]:
    payment, buyer = receipt.payment, receipt.buyer
    yield _("Receipt number"), str(receipt), False
    yield _("Date of issue"), date_format(timezone.localtime(receipt.issued_at), "DATE_FORMAT"), False
    if payment.credited_at is not None:
        yield _("Date of payment"), date_format(timezone.localtime(payment.credited_at), "DATE_FORMAT"), False
    yield _("Customer"), " · ".join(filter(None, (buyer.get("name"), buyer.get("email")))), False
    yield _("Payment method"), payment.label, False
    yield _("Payment reference"), payment.reference, False


def _amounts(receipt: Receipt) -> Iterator[tuple[str, str, bool]]:
    def money(value: object) -> str:
        return formats.money(value, receipt.currency)  # type: ignore[arg-type]

    payment = receipt.payment
    yield _("Funds added to the balance"), money(receipt.amount), False
    if receipt.fee:
        yield _("Payment fee"), money(receipt.fee), False
    if receipt.tax_rate:
        rate = amounts.plain(receipt.tax_rate, 0)
        yield _("Amount without tax"), money(receipt.total - receipt.tax), False
        tax_name = receipt.tax_name or _("Tax")
        yield _("%(tax)s included (%(rate)s%%)") % {"tax": tax_name, "rate": rate}, money(receipt.tax), False
    yield _("Total paid"), money(receipt.total), True
    if payment.paid_amount and payment.paid_currency and payment.paid_currency != receipt.currency:
        yield _("Paid in another currency"), f"{amounts.plain(payment.paid_amount)} {payment.paid_currency}", False
