"""What can go wrong between us and a panel. Leaves name the situation; nothing here does I/O.

Texts of these errors are shown to operators and kept in the database: they never carry a key (see ``client.redact``).
"""


class ProviderError(Exception):
    """Base of everything a panel, or the way to it, can do to us.

    ``message`` is the panel's own text or a short technical reason, redacted, for the operator; never for the customer.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class NotSent(ProviderError):
    """Not one byte of the request was handed to the socket: nothing can have happened at the panel."""


class LeaseEnded(NotSent):
    """We were too late ourselves: this process was stopped or the machine slept. It says nothing about the panel."""


class OutcomeUnknown(ProviderError):
    """The request may have been executed: sending it again could buy twice.

    ``said`` is the panel's own error text where it gave one that we do not know, ``upstream_id`` a number that may be
    the order's. ``is_lasting``: what answered so would answer the next order the same way, so the provider is paused.
    """

    def __init__(self, message: str = "", *, said: str = "", upstream_id: str = "", is_lasting: bool = False) -> None:
        super().__init__(message)
        self.said, self.upstream_id, self.is_lasting = said, upstream_id, is_lasting


class NumberHeld(OutcomeUnknown):
    """The panel answered with a number that another attempt of ours has: order ``holder``, there as ``upstream_id``.

    ``is_twin``: both asked for the same, which some panels take for one request that came twice. Otherwise what answers
    so answers the next order the same way.
    """

    def __init__(self, message: str, *, upstream_id: str, holder: int, is_twin: bool) -> None:
        super().__init__(message, upstream_id=upstream_id, is_lasting=not is_twin)
        self.holder, self.is_twin = holder, is_twin


class Refused(ProviderError):
    """The panel answered, readably, that it did not do it."""

    def __init__(self, message: str = "", *, reason: str = "other") -> None:
        super().__init__(message)
        self.reason = reason


class Unsupported(ProviderError):
    """This dialect has no such verb, or cannot say what this order needs."""


class UnreadableAnswer(ProviderError):
    """An answer of a read (balance, services, status) that says nothing we can use. Reads change nothing."""


class AddressNotAllowed(NotSent):
    """The panel's address is not one we connect to: not http(s), or on this machine or in a private range."""


class BadList(ProviderError):
    """A price list that must not be imported: empty, much shorter than the last, or in another currency.

    Its message is a note, see ``providers.notes``.
    """


class CurrencyChanged(BadList):
    """The panel bills in another currency than the provider is set to: no price of it means anything any more."""


class NothingToDecide(ProviderError):
    """The offer does not wait for a person."""
