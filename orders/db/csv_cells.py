"""Cells of tables for spreadsheets: what people wrote stays text, whatever a spreadsheet would make of it."""

from __future__ import annotations

#: A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_KEPT = (*FORMULA, "'")


def escape_formula(text: str) -> str:
    """``text`` as text."""
    return f"'{text}" if text.startswith(FORMULA) else text


def escape(text: str) -> str:
    """As ``safe``, but so that ``read`` gives back exactly ``text``."""
    return f"'{text}" if text.startswith(_KEPT) else text


def unescape(cell: str) -> str:
    """The inverse of ``kept``; a cell that a person wrote stays as it is."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_KEPT) else cell
