"""The errors of support. Nothing was written when one is raised."""

from __future__ import annotations

from typing import Any


class TicketError(Exception):
    """Base class of every error of support."""


class TooManyOpen(TicketError):
    """The customer already has ``limit`` open tickets."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} tickets are open")
        self.limit = limit


class TooFast(TicketError):
    """The customer sent more messages in the last minutes than a person writes."""


class TooMuch(TicketError):
    """The customer sent more bytes of files within a day than the shop accepts."""


class TextRefused(TicketError):
    """The text is empty or has more than ``limit`` characters."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a text has 1 to {limit} characters")
        self.limit = limit


class NotTheirOrder(TicketError):
    """``number`` is not an order of this customer."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} is no order of the customer")
        self.number = number


class RequestAlreadyMade(TicketError):
    """``ticket`` already contains the same request."""

    def __init__(self, ticket: Any) -> None:
        super().__init__(f"asked in ticket {ticket.pk}")
        self.ticket = ticket


class HandledAutomatically(TicketError):
    """No operator is needed: the order's own button does it, or nothing can be done. ``why`` is for customers."""

    def __init__(self, why: Any) -> None:
        super().__init__(str(why))
        self.why = why


class NotMergeable(TicketError):
    """The tickets cannot be merged: they are the same one, belong to two customers, or one was merged before."""
