"""The errors of ``providers``; subclasses name the situation.

Their messages are shown to operators and stored, so they must not contain an API key (see ``client.redact``).
The texts of our own are notes, which each reader sees in their language (see ``providers.notes``).
"""


class ProviderError(Exception):
    """Base class of all errors at a panel or on the way to it.

    ``message`` is the panel's own text or a note, without keys. It is for operators only.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class NotSent(ProviderError):
    """No byte of the request was handed to the socket, so nothing can have happened at the panel."""


class LeaseEnded(NotSent):
    """The lease ended before the first byte was sent: this process was stopped, or the machine slept.

    It says nothing about the panel.
    """


class OutcomeUnknown(ProviderError):
    """The request may have been executed, so sending it again could buy twice.

    Args:
        said: The panel's own error text, if it sent one that we do not recognize.
        upstream_id: A number in the answer that may be the order's.
        is_lasting: Whether the next order would get the same answer; the provider is then paused.
    """

    def __init__(self, message: str = "", *, said: str = "", upstream_id: str = "", is_lasting: bool = False) -> None:
        super().__init__(message)
        self.said, self.upstream_id, self.is_lasting = said, upstream_id, is_lasting


class NumberHeld(OutcomeUnknown):
    """The panel answered with an order number that another placement of ours already has.

    Args:
        upstream_id: That number.
        holder: The id of our order that has it.
        is_twin: Whether both orders are for the same thing, which some panels treat as one request that was sent
            twice. Otherwise the next order would get the same answer.
    """

    def __init__(self, message: str, *, upstream_id: str, holder: int, is_twin: bool) -> None:
        super().__init__(message, upstream_id=upstream_id, is_lasting=not is_twin)
        self.holder, self.is_twin = holder, is_twin


class Refused(ProviderError):
    """The panel answered clearly that it did not execute the request; ``reason`` is a key of ``error_phrases``."""

    def __init__(self, message: str = "", *, reason: str = "other") -> None:
        super().__init__(message)
        self.reason = reason


class Unsupported(ProviderError):
    """The dialect does not have this verb, or cannot express what the order needs."""


class UnreadableAnswer(ProviderError):
    """The answer to a read (balance, services, status) is not usable. Reads change nothing, so they may be repeated."""


class AddressNotAllowed(NotSent):
    """We must not connect to this address: it is not http(s), or it is on this machine or in a private range."""


class BadList(ProviderError):
    """A price list that must not be imported: empty, much shorter than the last, or in another currency.

    Its message is a note, see ``providers.notes``.
    """


class CurrencyChanged(BadList):
    """The panel bills in another currency than the provider is set to, so none of its prices can be used."""


class NothingToDecide(ProviderError):
    """The offer does not wait for a decision of an operator."""
