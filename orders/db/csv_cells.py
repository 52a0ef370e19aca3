"""Escaping of CSV cells, so that spreadsheets do not execute text as a formula."""

from __future__ import annotations

#: A spreadsheet treats a cell that begins with one of these as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_KEPT = (*FORMULA, "'")


def escape_formula(text: str) -> str:
    """Return ``text`` with a leading apostrophe if a spreadsheet would treat it as a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def escape(text: str) -> str:
    """Escape ``text`` as ``escape_formula`` does, but so that ``unescape`` returns exactly ``text``."""
    return f"'{text}" if text.startswith(_KEPT) else text


def unescape(cell: str) -> str:
    """Return the text that ``escape`` was given; a cell that a person typed is returned unchanged."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_KEPT) else cell
