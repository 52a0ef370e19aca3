"""Texts that are stored for operators as a code with its data, so that each reader sees them in their own language.

``providers.note_texts`` has the text of each code. What a provider said in its own message is stored as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

#: Fits the shortest column that holds such a text.
LONGEST = 500


class Note(StrEnum):
    # Why a provider service cannot be sold.
    NO_NUMBER = "no_number"
    DUPLICATE_NUMBER = "duplicate_number"
    NO_NAME = "no_name"
    UNREADABLE_NAME = "unreadable_name"
    SEPARATOR = "separator"
    UNREADABLE_RATE = "unreadable_rate"
    ZERO_RATE = "zero_rate"
    NOT_FOR_SALE = "not_for_sale"
    OTHER_CURRENCY = "other_currency"
    UNREADABLE_LIMITS = "unreadable_limits"
    LIMITS_REVERSED = "limits_reversed"
    UNKNOWN_TYPE = "unknown_type"
    UNSUPPORTED_TYPE = "unsupported_type"
    # Why a provider is paused.
    KEY_ACCEPTED = "key_accepted"
    KEY_REJECTED = "key_rejected"
    KEY_UNCHECKED = "key_unchecked"
    NEXT_ORDER_TOO = "next_order_too"
    STILL_UNREACHABLE = "still_unreachable"
    STILL_UNCLEAR = "still_unclear"
    UNREACHABLE = "unreachable"
    UNCLEAR = "unclear"
    MANY_UNKNOWN = "many_unknown"
    # Why a price list was not imported.
    CURRENCY_CHANGED = "currency_changed"
    LIST_EMPTY = "list_empty"
    LIST_SHORT = "list_short"
    LIST_SHORT_OF_SELLABLE = "list_short_of_sellable"
    # The result of the check that permits the search for lost orders, or why the search was turned off.
    CHECK_PASSED = "check_passed"
    CHECK_UNANSWERED = "check_unanswered"
    NO_FREE_NUMBERS = "no_free_numbers"
    FEW_NUMBERS = "few_numbers"
    NUMBERS_FALL = "numbers_fall"
    FEW_IN_SEQUENCE = "few_in_sequence"
    FOREIGN_ORDER = "foreign_order"
    FOUND_LATE = "found_late"
    # Why an order counts as not placed.
    NOT_FOUND = "not_found"
    STORED_ERROR = "stored_error"
    # Why the outcome of an order is unknown.
    ANSWER_NOT_READ = "answer_not_read"
    ANSWER_NOT_RECORDED = "answer_not_recorded"
    NUMBER_TAKEN = "number_taken"
    # What became of a refill or a cancellation.
    NO_PROVIDER = "no_provider"
    PROVIDER_OFF = "provider_off"
    NO_REFILLS = "no_refills"
    NO_CANCELLATIONS = "no_cancellations"
    NOT_ACCEPTED = "not_accepted"
    NO_CLEAR_ANSWER = "no_clear_answer"
    LEFT_OUT = "left_out"
    WORKER_STOPPED = "worker_stopped"
    REFILL_STATUS = "refill_status"
    REFILL_OPEN = "refill_open"
    SENT_AGAIN = "sent_again"
    # Why a request was not sent.
    LOOKUP_TIMED_OUT = "lookup_timed_out"
    NO_ADDRESS = "no_address"
    PRIVATE_ADDRESS = "private_address"
    CONNECT_TIMED_OUT = "connect_timed_out"
    CONNECT_FAILED = "connect_failed"
    TLS_TIMED_OUT = "tls_timed_out"
    TLS_FAILED = "tls_failed"
    CERTIFICATE_REJECTED = "certificate_rejected"
    REQUEST_FAILED = "request_failed"
    LEASE_OVER = "lease_over"
    # Why a request that was sent has no usable answer.
    NO_ANSWER = "no_answer"
    ANSWER_TIMED_OUT = "answer_timed_out"
    ANSWER_CUT_OFF = "answer_cut_off"
    HEADERS_CUT_OFF = "headers_cut_off"
    CONNECTION_RESET = "connection_reset"
    CONNECTION_CLOSED = "connection_closed"
    CONNECTION_FAILED = "connection_failed"
    NOT_HTTP = "not_http"
    INTERIM_ONLY = "interim_only"
    ANSWER_TOO_LARGE = "answer_too_large"
    BROKEN_COMPRESSION = "broken_compression"
    UNKNOWN_COMPRESSION = "unknown_compression"
    REDIRECTED = "redirected"
    FAILED_INTERNALLY = "failed_internally"
    # Why a webhook cannot be sent.
    URL_NOT_ALLOWED = "url_not_allowed"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105


def encode(note: Note, *, message: str = "", **data: str | int) -> str:
    """Return ``note`` and its data as they are stored; ``message`` is shortened until the column holds all of it."""
    while True:
        text = json.dumps({"note": note, **data, **({"message": message} if message else {})}, ensure_ascii=False)
        if len(text) <= LONGEST or not message:
            return text
        message = message[: min(len(message) - 20, LONGEST)] if len(message) > 20 else ""


def beginning(note: Note) -> str:
    """Return what every stored ``note`` begins with, for queries."""
    return json.dumps({"note": note})[:-1]


def decode(stored: str) -> tuple[Note, Mapping[str, str | int]] | None:
    """Return the code and the data of ``stored``, None if it is not a note."""
    if not stored.startswith('{"note":'):
        return None
    try:
        data = json.loads(stored)
        return Note(data.pop("note")), data
    except ValueError:
        return None
