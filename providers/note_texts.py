"""The texts of the codes in ``providers.notes``, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from providers.notes import Note, decode

TEXTS: Mapping[Note, Any] = {
    Note.NO_NUMBER: _("It has no number, so it is not a service."),
    Note.DUPLICATE_NUMBER: _(
        "Its number appears earlier in the list. Only the first service with this number is used."
    ),
    Note.NO_NAME: _("It has no name."),
    Note.UNREADABLE_NAME: _("Its name cannot be read."),
    Note.SEPARATOR: _("Its name has no letter or digit: it is a separator, not a service."),
    Note.UNREADABLE_RATE: _("Its price cannot be read."),
    Note.ZERO_RATE: _("Its price is zero or negative."),
    Note.NOT_FOR_SALE: _("Its price is so high that the provider apparently does not want to sell it."),
    Note.OTHER_CURRENCY: _("It is priced in %(billed)s, but the provider is set to %(configured)s."),
    Note.UNREADABLE_LIMITS: _("Its minimum or maximum quantity cannot be read."),
    Note.LIMITS_REVERSED: _("Its maximum quantity is below its minimum quantity."),
    Note.UNKNOWN_TYPE: _("Unknown service type “%(type)s”. Assign a service type to sell it."),
    Note.UNSUPPORTED_TYPE: _("The provider's API cannot order the service type %(type)s."),
    Note.KEY_ACCEPTED: _("The provider rejected a request (“%(message)s”) but still accepts the API key."),
    Note.KEY_REJECTED: _("The provider rejects the API key: “%(message)s”. Check the key."),
    Note.KEY_UNCHECKED: _("The provider rejected a request (“%(message)s”), and its balance could not be read."),
    Note.NEXT_ORDER_TOO: _("The next order would fail in the same way: %(message)s"),
    Note.STILL_UNREACHABLE: _("The provider still cannot be reached: %(message)s"),
    Note.STILL_UNCLEAR: _("The provider still gives no clear answer: %(message)s"),
    Note.UNREACHABLE: _(
        "The provider could not be reached. Failed attempts in a row: %(count)s. Last error: %(message)s"
    ),
    Note.UNCLEAR: _("The provider gave no clear answer. Unclear answers in a row: %(count)s. Last answer: %(message)s"),
    Note.MANY_UNKNOWN: _(
        "Too many orders have an unknown outcome: %(count)s of the last %(total)s. Last answer: %(message)s"
    ),
    Note.CURRENCY_CHANGED: _(
        "The provider bills in %(billed)s but is set to %(configured)s. Nothing was changed. Correct the currency and "
        "the exchange rate, then resume the provider."
    ),
    Note.LIST_EMPTY: _("The price list is empty. Nothing was changed."),
    Note.LIST_SHORT: _(
        "The price list is much shorter than the last one. Services: %(count)s, before: %(before)s. Nothing was "
        "changed."
    ),
    Note.LIST_SHORT_OF_SELLABLE: _(
        "The price list has far fewer services that can be sold than the last one: %(count)s, before: %(before)s. "
        "Nothing was changed."
    ),
    Note.CHECK_PASSED: _(
        "Passed. Order numbers requested that are not ours: %(count)s. The provider showed none of them."
    ),
    Note.CHECK_UNANSWERED: _("Not passed: the provider did not answer clearly about every order number."),
    Note.NO_FREE_NUMBERS: _(
        "Not possible yet: every number between our orders may belong to an order with an unknown outcome."
    ),
    Note.FEW_NUMBERS: _("Not possible yet: %(count)s of %(needed)s order numbers are known."),
    Note.NUMBERS_FALL: _(
        "Not passed: the provider's order numbers do not rise with time. Number %(number)s came after %(before)s."
    ),
    Note.FEW_IN_SEQUENCE: _("Not possible yet: only %(count)s of %(total)s orders were sent one after the other."),
    Note.FOREIGN_ORDER: _("The search was turned off: the provider shows order %(number)s, which is not ours."),
    Note.FOUND_LATE: _(
        "The search was turned off: order %(order)s was sent again, and then its first submission appeared as "
        "%(number)s."
    ),
    Note.NOT_FOUND: _("Not placed: none of the provider's order numbers can be this order."),
    Note.STORED_ERROR: _("Not placed: “%(message)s” always means that at this provider."),
    Note.ANSWER_NOT_READ: _("The answer could not be processed because of an internal error. See the log."),
    Note.ANSWER_NOT_RECORDED: _("The answer could not be stored because of an internal error. See the log."),
    Note.NUMBER_TAKEN: _("The provider answered with order %(number)s, which our order %(order)s already has."),
    Note.NO_PROVIDER: _("No provider has this order."),
    Note.PROVIDER_OFF: _("%(provider)s is turned off."),
    Note.NO_REFILLS: _("The %(dialect)s API has no refills."),
    Note.NO_CANCELLATIONS: _("The %(dialect)s API has no cancellations."),
    Note.NOT_ACCEPTED: _("%(provider)s has not accepted the request. Days waited: %(days)s."),
    Note.NO_CLEAR_ANSWER: _("No clear answer: %(message)s"),
    Note.LEFT_OUT: _("The provider left it out of its answer."),
    Note.WORKER_STOPPED: _("The worker stopped before the answer arrived."),
    Note.REFILL_STATUS: _("The provider reports the refill as “%(message)s”."),
    Note.REFILL_OPEN: _("The provider has not finished the refill."),
    Note.SENT_AGAIN: _("Sent again by staff."),
    Note.LOOKUP_TIMED_OUT: _("Not sent: the host name %(host)s was not resolved in time."),
    Note.NO_ADDRESS: _("Not sent: the host name %(host)s has no address."),
    Note.PRIVATE_ADDRESS: _("Not sent: %(host)s resolves to %(address)s, on this machine or in a private network."),
    Note.CONNECT_TIMED_OUT: _("Not sent: no connection within %(seconds)s s."),
    Note.CONNECT_FAILED: _("Not sent: no connection to %(host)s (%(message)s)."),
    Note.TLS_TIMED_OUT: _("Not sent: the TLS handshake did not finish within %(seconds)s s."),
    Note.TLS_FAILED: _("Not sent: the TLS handshake failed (%(message)s)."),
    Note.CERTIFICATE_REJECTED: _("Not sent: the certificate is not trusted (%(message)s)."),
    Note.REQUEST_FAILED: _("Not sent: the request could not be made (%(message)s)."),
    Note.LEASE_OVER: _("Not sent: the time in which it could be sent was over."),
    Note.NO_ANSWER: _("No answer within %(seconds)s s. The request was sent."),
    Note.ANSWER_TIMED_OUT: _("The answer was not complete within %(seconds)s s."),
    Note.ANSWER_CUT_OFF: _("The answer was cut off after %(size)s bytes."),
    Note.HEADERS_CUT_OFF: _("The answer was cut off in its headers."),
    Note.CONNECTION_RESET: _("The connection was reset after the request was sent."),
    Note.CONNECTION_CLOSED: _("The connection was closed without an answer. The request was sent."),
    Note.CONNECTION_FAILED: _("The connection failed after the request was sent (%(message)s)."),
    Note.NOT_HTTP: _("The answer is not readable HTTP."),
    Note.INTERIM_ONLY: _("Only an interim answer (HTTP %(status)s) arrived."),
    Note.ANSWER_TOO_LARGE: _("The answer is larger than %(size)s kB."),
    Note.BROKEN_COMPRESSION: _("The answer is damaged: its %(coding)s compression is broken."),
    Note.REDIRECTED: _("HTTP %(status)s: redirects are not followed."),
    Note.URL_NOT_ALLOWED: _("The URL must start with https:// and lead to the public internet."),
    Note.SECRET_UNREADABLE: _("The signing secret cannot be read. Create a new one."),
    Note.FAILED_INTERNALLY: _("The call failed because of an internal error. See the log."),
    Note.UNKNOWN_COMPRESSION: _("The answer is compressed in a way that was not requested: %(coding)s."),
}


class _Values(dict[str, str]):
    """The values of a text. A provider may send a text that looks like a note, so none of them has to be there."""

    def __missing__(self, name: str) -> str:
        return ""


def describe(stored: str) -> str:
    """Return the text of ``stored`` in the reader's language; a text that is not a note is returned as it is."""
    note = decode(stored)
    if note is None:
        return stored
    code, data = note
    return str(TEXTS[code]) % _Values({name: _value(value) for name, value in data.items()})


def _value(value: Any) -> str:
    if isinstance(value, int):
        return str(number_format(value, use_l10n=True, force_grouping=True))
    return describe(str(value))
