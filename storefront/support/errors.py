"""What can be wrong with a ticket. Leaves name the situation; nothing was written when one is raised."""

from __future__ import annotations

from typing import Any


class TicketError(Exception):
    """Base of every error of support."""


class TooManyOpen(TicketError):
    """The customer has ``most`` tickets that are not closed."""

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} tickets are open")
        self.most = most


class TooFast(TicketError):
    """More messages in the last minutes than a person writes."""


class TooMuch(TicketError):
    """More bytes of files within a day than the shop keeps for one customer."""


class TextRefused(TicketError):
    """No text, or more of it than ``most`` characters."""

    def __init__(self, most: int) -> None:
        super().__init__(f"a text has 1 to {most} characters")
        self.most = most


class NotTheirOrder(TicketError):
    """``number`` is no order of this customer."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} is no order of the customer")
        self.number = number


class RequestAlreadyMade(TicketError):
    """``ticket`` asks for the same already."""

    def __init__(self, ticket: Any) -> None:
        super().__init__(f"asked in ticket {ticket.pk}")
        self.ticket = ticket


class HandledAutomatically(TicketError):
    """No person is needed: the order's own button does it, or there is nothing to be done. ``why`` is for customers."""

    def __init__(self, why: Any) -> None:
        super().__init__(str(why))
        self.why = why


class NotMergeable(TicketError):
    """Two tickets that cannot become one: the same, of two customers, or one of them merged before."""
