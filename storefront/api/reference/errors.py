"""Every error that the API can answer with, when it occurs and what to do about it.

The texts are those of ``responses``.

``{words in braces}`` stand for the variable parts of a text.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from storefront.api.panel import responses
from storefront.api.panel.actions import ACTIONS, WRITES
from storefront.api.panel.parameters import MAX_FIELDS, MAX_IDS

READS = frozenset(ACTIONS) - WRITES


@dataclass(frozen=True, slots=True)
class Error:
    """One error. Without ``actions`` any call can get it. An empty ``text`` stands for the empty object."""

    text: str
    when: Promise
    remedy: Promise
    actions: Collection[str] = ()
    http: int = 200

    @property
    def shown(self) -> SafeString:
        """Return the text as HTML with its variable parts marked."""
        plain, *others = re.split(r"\{(.*?)\}", self.text)
        marked = format_html_join("", "<var>{}</var>{}", zip(others[::2], others[1::2], strict=True))
        return format_html("{}{}", plain, marked)


NOTHING_CHARGED = _("Nothing was charged. Correct the request and send it again.")
ASK_US = _("Repeating the request does not help. Contact support if you did not expect this.")

CALLS = (
    Error(
        responses.INVALID_KEY,
        _("The API key is missing, wrong or revoked."),
        _("Copy the key again or create a new one. Stop sending requests until then."),
    ),
    Error(
        responses.INCORRECT_REQUEST,
        _("The action is missing or unknown."),
        _("Send one of the seven actions on this page."),
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: its body cannot be read",
        _("The form is malformed, or the connection was lost while it was sent."),
        _("Build the form with an HTTP library and send it again."),
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: the body is not a JSON object",
        _("The body looks like JSON but is not a valid JSON object."),
        _("Send one object with a name and a value for each parameter."),
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: {{name}} is not text in UTF-8",
        _("A value is not valid UTF-8, or contains a null character."),
        _("Encode all text as UTF-8."),
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: more than {MAX_FIELDS} parameters",
        _("The request has too many parameters."),
        _("Send fewer IDs in one request."),
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: more than {MAX_IDS} ids",
        _("The request contains too many order or refill IDs."),
        _("Split them over several requests."),
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: it is too large",
        _("The body exceeds the size limit."),
        _("Send less data in one request."),
        http=413,
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: send Content-Length",
        _("The body was sent in chunks, which this server does not support."),
        _("Send the body with a Content-Length header."),
        http=411,
    ),
    Error(
        responses.HTTPS_ONLY,
        _("The request was sent over plain HTTP, where others can read the key."),
        _("Use https:// in the URL, and replace the key."),
    ),
    Error(
        responses.WRONG_ADDRESS,
        _("The key can only be used from its allowed addresses."),
        _("Add your server's address to the key, or remove the restriction."),
    ),
    Error(
        responses.READS_ONLY,
        _("The key can read but not order."),
        _("Use a key that can order."),
        WRITES,
    ),
    Error(
        responses.ORDERS_ONLY,
        _("The key can order but not read."),
        _("Use a key that can read."),
        READS,
    ),
    Error(
        responses.NO_GET_WRITES,
        _("The key can order only by POST, so that it does not appear in server logs."),
        _("Send the same parameters by POST."),
        WRITES,
    ),
    Error(
        responses.TOO_MANY,
        _("The key or your address exceeded its limit of requests per minute. Nothing was done."),
        _("Wait for the next minute and send the request again."),
        WRITES,
    ),
    Error(
        "",
        _("The same for a request that only reads. It is an empty object, because clients treat any"
" error in a status as final."),
        _("Wait for the number of seconds in the Retry-After header."),
        READS,
        http=429,
    ),
    Error(
        responses.CLOSED,
        _("The shop is closed for maintenance. Nothing was done."),
        _("Try again in a few minutes."),
        WRITES,
    ),
    Error(
        "",
        _("The same for a request that only reads."),
        _("Wait for the number of seconds in the Retry-After header."),
        READS,
        http=503,
    ),
    Error(
        "Internal error, nothing was charged",
        _("An error on our side prevented the order."),
        _("Try again later with the same request_id."),
        ("add",),
        http=500,
    ),
    Error(
        "",
        _("An error occurred on our side. It is unknown whether the request was processed."),
        _("Try again later. Repeat an order with the same request_id, so that it is placed only once."),
        http=500,
    ),
    Error(
        "Use GET or POST",
        _("The HTTP method is not supported."),
        _("Use POST."),
        http=405,
    ),
    Error(
        "Unknown address, the API is at /api/v2",
        _("The URL is not part of the API."),
        _("Correct the URL."),
        http=404,
    ),
)  # fmt: skip

ORDERS = (
    Error(
        responses.INCORRECT_SERVICE,
        _("The service does not exist or is not available."),
        _("Load the service list again. Nothing was charged."),
        ("add",),
    ),
    Error(
        responses.NOT_ENOUGH_FUNDS,
        _("Your balance is lower than the charge."),
        _("Add funds, then send the order again. Nothing was charged."),
        ("add",),
    ),
    Error(
        responses.LINK_IN_USE,
        _("The service accepts one order per link at a time, and one of your orders is still open."),
        _("Send it again when that order is finished."),
        ("add",),
    ),
    Error(
        responses.REQUEST_REUSED,
        _("The request_id was used within the last 24 hours for an order with different parameters."),
        _("Use a different request_id for each order. Nothing was charged."),
        ("add",),
    ),
    Error(
        responses.BAD_LINK,
        _("The link is missing, contains spaces, or does not match the format that the service "
"requires."),
        NOTHING_CHARGED,
        ("add",),
    ),
    Error(
        "{Field} field is required",
        _("A parameter that the service type requires is missing."),
        NOTHING_CHARGED,
        ("add",),
    ),
    Error("{Field} is not a number", _("The value must be a whole number."), NOTHING_CHARGED, ("add",)),
    Error(
        "Quantity less than minimal {min}",
        _("The quantity or the number of lines is below the minimum of the service."),
        NOTHING_CHARGED,
        ("add",),
    ),
    Error(
        "Quantity more than maximum {max}",
        _("The quantity or the number of lines is above the maximum of the service."),
        NOTHING_CHARGED,
        ("add",),
    ),
    Error("{Field} less than minimal {least}", _("A number is too small."), NOTHING_CHARGED, ("add",)),
    Error("{Field} more than maximum {most}", _("A number is too large."), NOTHING_CHARGED, ("add",)),
    Error("{Field} is longer than {most}", _("A text has too many characters or lines."), NOTHING_CHARGED, ("add",)),
    Error("Incorrect {field}", _("A value cannot be read or stored."), NOTHING_CHARGED, ("add",)),
    Error(
        "Incorrect {field}, use: {choices}",
        _("The value is not one of the allowed values, or has the wrong format."),
        NOTHING_CHARGED,
        ("add",),
    ),
    Error(
        responses.NO_DRIP_FEED,
        _("The request has runs, but the service does not support drip-feed."),
        _("Send it without runs, or choose a service with drip-feed."),
        ("add",),
    ),
    Error(
        responses.UNLIMITED_POSTS,
        _("The subscription has neither posts nor old_posts, or both are 0."),
        _("Send posts, old_posts or both. Unlimited subscriptions are not available."),
        ("add",),
    ),
    Error(
        responses.NO_LATER_START,
        _("The request has start_at, but this shop does not schedule orders."),
        _("Send the order without start_at at the time it should start."),
        ("add",),
    ),
    Error(
        "Start at is more than {days} days ahead",
        _("The start time is too far in the future."),
        NOTHING_CHARGED,
        ("add",),
    ),
)  # fmt: skip

AFTERWARDS = (
    Error(
        responses.INCORRECT_ORDER,
        _("You have no order with this ID."),
        _("Compare it with the ID that add returned."),
        ("status", "refill", "cancel"),
    ),
    Error(responses.REFILL_NOT_FOUND, _("You have no refill with this ID."), ASK_US, ("refill_status",)),
    Error(responses.NO_REFILL, _("The service does not include refills."), ASK_US, ("refill",)),
    Error(
        responses.NOT_COMPLETED,
        _("The order is not completed, or nothing was delivered."),
        _("Request the refill when the order is completed."),
        ("refill",),
    ),
    Error(responses.REFILL_OVER, _("The refill period of the service has ended."), ASK_US, ("refill",)),
    Error(
        responses.REFILL_TOO_SOON,
        _("The order was completed or a refill was requested less than 24 hours ago, or a refill is"
" still open."),
        _("Try again a day later."),
        ("refill",),
    ),
    Error(responses.NO_CANCEL, _("The service does not support cancellation."), ASK_US, ("cancel",)),
    Error(responses.NOT_CANCELABLE, _("The order is finished, or everything was delivered."), ASK_US, ("cancel",)),
    Error(
        responses.CANCEL_OPEN,
        _("A cancellation was already requested and is still pending."),
        _("Wait. The order status shows the result."),
        ("cancel",),
    ),
)  # fmt: skip

GROUPS = (
    (_("Any request"), CALLS),
    (_("Placing an order"), ORDERS),
    (_("Orders and refills"), AFTERWARDS),
)


def of(action: str) -> list[Error]:
    """Return the errors of ``action``, without those that any call can get."""
    return [error for _title, group in GROUPS for error in group if action in error.actions and error.text]
