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


NOTHING_CHARGED = _("Correct it and send the order again: nothing was charged.")
ASK_US = _("Nothing to repeat: it stays so. Ask our support if it surprises you.")

CALLS = (
    Error(
        responses.INVALID_KEY,
        _("There is no key in the call, or it is wrong or revoked."),
        _("Copy the key again, or make a new one. Stop calling until then."),
    ),
    Error(
        responses.INCORRECT_REQUEST,
        _("There is no action in the call, or none that we know."),
        _("Send one of the seven actions of this page."),
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: its body cannot be read",
        _("The form is broken, or the line broke while it was sent."),
        _("Let a library make the form, and send it again."),
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: the body is not a JSON object",
        _("The body begins like JSON and is not an object of it."),
        _("Send one object: {} with a name and a value for each parameter."),
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: {{name}} is not text in UTF-8",
        _("A value is in another encoding, or holds a zero byte."),
        _("Send texts as UTF-8."),
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: more than {MAX_FIELDS} parameters",
        _("The call has too many parameters."),
        _("Ask for fewer numbers in one call."),
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: more than {MAX_IDS} ids",
        _("The call names too many orders or refills."),
        _("Ask for them in several calls."),
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: it is too large",
        _("The body has more bytes than we read."),
        _("Send less in one call."),
        http=413,
    ),
    Error(
        f"{responses.INCORRECT_REQUEST}: send Content-Length",
        _("The body is sent in chunks, and the server of this shop reads no chunks."),
        _("Send the body with its length."),
        http=411,
    ),
    Error(
        responses.HTTPS_ONLY,
        _("The call came over plain HTTP, where others on the way can read the key."),
        _("Use https:// in the address, and replace the key."),
    ),
    Error(
        responses.WRONG_ADDRESS,
        _("The key may be used only from the addresses that you listed for it."),
        _("Add the address of your server to the key, or take the list away."),
    ),
    Error(
        responses.READS_ONLY,
        _("The key may read and not order."),
        _("Use a key that may order."),
        WRITES,
    ),
    Error(
        responses.ORDERS_ONLY,
        _("The key may order and not read."),
        _("Use a key that may read."),
        READS,
    ),
    Error(
        responses.NO_GET_WRITES,
        _("The key takes orders only by POST, so that it stays out of the logs on the way."),
        _("Send the same parameters by POST."),
        WRITES,
    ),
    Error(
        responses.TOO_MANY,
        _("The key, or your address, has made more calls in this minute than it may. Nothing was done."),
        _("Wait for the next minute and send it again."),
        WRITES,
    ),
    Error(
        "",
        _("The same for a call that only reads: an empty object, because clients take any error of a status as final."),
        _("Wait as many seconds as the header Retry-After says."),
        READS,
        http=429,
    ),
    Error(
        responses.CLOSED,
        _("We work on the shop. Nothing was done."),
        _("Send it again in a few minutes."),
        WRITES,
    ),
    Error(
        "",
        _("The same for a call that only reads."),
        _("Wait as many seconds as the header Retry-After says."),
        READS,
        http=503,
    ),
    Error(
        "Internal error, nothing was charged",
        _("Something broke on our side before the order was placed."),
        _("Send it again a little later, with the same request_id."),
        ("add",),
        http=500,
    ),
    Error(
        "",
        _("Something broke on our side and nobody can say how far the call came."),
        _("Send it again a little later. An order: with the same request_id, so that it is bought once."),
        http=500,
    ),
    Error(
        "Use GET or POST",
        _("The call has another method."),
        _("Use POST."),
        http=405,
    ),
    Error(
        "Unknown address, the API is at /api/v2",
        _("The call went to an address beside that of the API."),
        _("Correct the address."),
        http=404,
    ),
)  # fmt: skip

ORDERS = (
    Error(
        responses.INCORRECT_SERVICE,
        _("There is no such service, or it is off sale."),
        _("Read the price list again. Nothing was charged."),
        ("add",),
    ),
    Error(
        responses.NOT_ENOUGH_FUNDS,
        _("Your wallet holds less than the order costs."),
        _("Add money, then send the order again. Nothing was charged."),
        ("add",),
    ),
    Error(
        responses.LINK_IN_USE,
        _("The service takes one order for a link at a time, and one of yours is open."),
        _("Send it again when that order has ended."),
        ("add",),
    ),
    Error(
        responses.REQUEST_REUSED,
        _("The request_id was sent within 24 hours for an order with other parameters."),
        _("Give each order a request_id of its own. Nothing was charged."),
        ("add",),
    ),
    Error(
        responses.BAD_LINK,
        _("The link is missing, has blanks in it, or is not of the kind that the service takes."),
        NOTHING_CHARGED,
        ("add",),
    ),
    Error("{Field} field is required", _("A parameter that this type needs is missing."), NOTHING_CHARGED, ("add",)),
    Error("{Field} is not a number", _("A whole number is needed there."), NOTHING_CHARGED, ("add",)),
    Error(
        "Quantity less than minimal {min}",
        _("The quantity, or the number of lines, is below the service's min."),
        NOTHING_CHARGED,
        ("add",),
    ),
    Error(
        "Quantity more than maximum {max}",
        _("The quantity, or the number of lines, is above the service's max."),
        NOTHING_CHARGED,
        ("add",),
    ),
    Error("{Field} less than minimal {least}", _("Another number is too small."), NOTHING_CHARGED, ("add",)),
    Error("{Field} more than maximum {most}", _("Another number is too large."), NOTHING_CHARGED, ("add",)),
    Error("{Field} is longer than {most}", _("A text has too many characters or lines."), NOTHING_CHARGED, ("add",)),
    Error("Incorrect {field}", _("A value that cannot be kept or read."), NOTHING_CHARGED, ("add",)),
    Error(
        "Incorrect {field}, use: {choices}",
        _("The value is none of those that are possible, or is written in another way."),
        NOTHING_CHARGED,
        ("add",),
    ),
    Error(
        responses.NO_DRIP_FEED,
        _("The call has runs, and the service has no drip-feed."),
        _("Send it without runs, or choose a service with drip-feed."),
        ("add",),
    ),
    Error(
        responses.UNLIMITED_POSTS,
        _("The subscription has no number of posts, or posts=0 without old_posts."),
        _("Send posts, or posts=0 together with old_posts. Unlimited subscriptions are not available."),
        ("add",),
    ),
    Error(
        responses.NO_LATER_START,
        _("The call has start_at, and this shop sells no later start."),
        _("Send it without start_at when it is to start."),
        ("add",),
    ),
    Error("Start at is more than {days} days ahead", _("The start is too far away."), NOTHING_CHARGED, ("add",)),
)  # fmt: skip

AFTERWARDS = (
    Error(
        responses.INCORRECT_ORDER,
        _("You have no order of that number."),
        _("Compare it with the number that add gave you."),
        ("status", "refill", "cancel"),
    ),
    Error(responses.REFILL_NOT_FOUND, _("You have no refill of that number."), ASK_US, ("refill_status",)),
    Error(responses.NO_REFILL, _("The service is sold without refill."), ASK_US, ("refill",)),
    Error(
        responses.NOT_COMPLETED,
        _("The order has not ended, or nothing of it was delivered."),
        _("Ask again when it is completed."),
        ("refill",),
    ),
    Error(responses.REFILL_OVER, _("The days in which the service refills are over."), ASK_US, ("refill",)),
    Error(
        responses.REFILL_TOO_SOON,
        _("The order has just ended, or a refill of it is open or a day old at most."),
        _("Ask again a day later."),
        ("refill",),
    ),
    Error(responses.NO_CANCEL, _("The service is sold without a right to cancel."), ASK_US, ("cancel",)),
    Error(responses.NOT_CANCELABLE, _("The order has ended, or nothing of it remains."), ASK_US, ("cancel",)),
    Error(
        responses.CANCEL_OPEN,
        _("The cancellation was asked for before and is not answered yet."),
        _("Wait: the order's status tells what becomes of it."),
        ("cancel",),
    ),
)  # fmt: skip

GROUPS = (
    (_("Any call"), CALLS),
    (_("Placing an order"), ORDERS),
    (_("Orders and refills"), AFTERWARDS),
)


def of(action: str) -> list[Error]:
    """Return the errors of ``action``, without those that any call can get."""
    return [error for _title, group in GROUPS for error in group if action in error.actions and error.text]
