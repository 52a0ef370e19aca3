"""Evidence for and against an order with an unknown outcome having been placed, for the operator who decides.

Nothing here decides anything. The evidence is stored in ``Placement.evidence``:

    said        the panel's error text, if an operator may save that it means "not placed"
    number      a number in an answer that did not clearly accept the order
    holder      our order that already has this number; is_twin: both orders are for the same thing
    balance     the balance before and after: before, now, explained, left, cost, speaks ("placed", "unplaced", "")
    later       the answers to later orders with the same link: order, words, reason
    search      the result of the search among the panel's numbers: lower, upper, asked, why, hits
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.rules import amounts
from providers.errors import NumberHeld, OutcomeUnknown, ProviderError, Refused
from providers.models import Placement, PlacementState, Provider
from providers.reconciling.id_windows import WhyOpen
from providers.transport import balances, conversation

#: The share of the expected cost by which the balance may differ and still count as evidence.
TOLERANCE = Decimal("0.01")
#: The number of later rejections that are stored for one placement in doubt.
LATER = 5
WHY_OPEN: Mapping[WhyOpen, Any] = {
    WhyOpen.SEVERAL: gettext_lazy("several of the provider's orders may be this one"),
    WhyOpen.OTHERS: gettext_lazy("the order found there may also be another of our orders"),
    WhyOpen.INDISTINCT: gettext_lazy(
        "it was placed, and so were others with the same cost; compare the links in the provider's order list"
    ),
    WhyOpen.UNEXPLAINED: gettext_lazy("the provider has orders that match none of ours"),
    WhyOpen.WINDOW_OPEN: gettext_lazy("no later order has been placed there yet"),
    WhyOpen.SILENT: gettext_lazy("the provider did not answer clearly about every order number"),
    WhyOpen.NOT_ALLOWED: gettext_lazy("the search is off for this provider"),
    WhyOpen.NO_CHECK: gettext_lazy("the check required for the search has not passed"),
    WhyOpen.NO_EARLIER: gettext_lazy("no earlier order number of this provider is known"),
    WhyOpen.TOO_WIDE: gettext_lazy("only the first of many order numbers could be checked; none of them is this order"),
    WhyOpen.TRIES: gettext_lazy("it was not placed, but it was sent too many times to be sent again automatically"),
}


def opening(problem: ProviderError) -> dict[str, Any]:
    """Return the evidence in the answer that left the order in doubt."""
    found = (problem.said, problem.upstream_id) if isinstance(problem, OutcomeUnknown) else ("", "")
    facts: dict[str, Any] = {name: text for name, text in zip(("said", "number"), found, strict=True) if text}
    if isinstance(problem, NumberHeld):
        facts |= {"holder": problem.holder, "is_twin": problem.is_twin}
    return facts


def add(placement: Placement, **facts: Any) -> None:
    """Add ``facts`` to the evidence about ``placement``."""
    with transaction.atomic():
        row = Placement.objects.select_for_update().only("evidence").get(pk=placement.pk)
        row.evidence = {**row.evidence, **facts}
        row.save(update_fields=["evidence"])
    placement.evidence = row.evidence


def add_later_rejection(placement: Placement, refusal: Refused) -> None:
    """Add the rejection of a later order to the evidence about orders in doubt with the same link at this provider.

    "Active order with this link" almost certainly means that the order in doubt was placed.
    """
    doubts = Placement.objects.filter(
        state=PlacementState.IN_DOUBT, provider_id=placement.provider_id, order__link=placement.order.link
    )
    rejection = {"order": placement.order_id, "words": refusal.message[:200], "reason": refusal.reason}
    for doubt in doubts.exclude(order__link="").exclude(order_id=placement.order_id):
        others = [one for one in doubt.evidence.get("later", []) if one["order"] != placement.order_id]
        add(doubt, later=[*others, rejection][-LATER:])


# ------------------------------------------------------------------------------------------------ the balance


def refresh(provider: Provider, *, seconds: int = 600) -> None:
    """Read the balance, at most every ``seconds``, so that a recent idle balance is known when an order is lost."""
    now = timezone.now()
    if provider.balance_seen_at is None or (now - provider.balance_seen_at).total_seconds() >= seconds:
        try:
            balances.update_balance(provider)
        except ProviderError:
            pass  # the call log has the error, and the balance is read again later


def compare_balance(provider: Provider, doubts: Iterable[Placement]) -> None:
    """Compare the balance with the idle balance less what we know was spent since, as evidence about ``doubts``.

    The difference counts only for a single order in doubt while nothing else is under way, and it never proves
    anything.
    """
    if provider.idle_balance_at is None or provider.idle_balance is None:
        return
    asked_at = timezone.now()
    try:
        now = conversation.balance(provider).amount
    except ProviderError:
        return
    since = Placement.objects.filter(provider=provider, created_at__gt=provider.idle_balance_at)
    explained = _spent(since) - _returned(provider, provider.idle_balance_at)
    left = provider.idle_balance - now - explained
    unknown = since.filter(state__in=(PlacementState.SUBMITTING, PlacementState.IN_DOUBT)).count()
    is_calm = (
        unknown == 1
        and not balances.placements_under_way(provider, asked_at).exclude(state=PlacementState.IN_DOUBT).exists()
    )
    for doubt in doubts:
        if doubt.created_at > provider.idle_balance_at:
            figures = {"before": provider.idle_balance, "now": now, "explained": explained, "left": left}
            stored = {name: amounts.plain(value) for name, value in {**figures, "cost": doubt.cost}.items()}
            speaks = _balance_verdict(left, doubt.cost) if is_calm else ""
            add(doubt, balance={**stored, "speaks": speaks, "at": asked_at.isoformat()})


def _spent(placements: Any) -> Decimal:
    costs = placements.filter(state__in=(PlacementState.ACCEPTED, PlacementState.CLOSED)).values_list("cost", flat=True)
    return sum(costs, Decimal(0))


def _returned(provider: Provider, since: datetime) -> Decimal:
    """Return what the panel returned since then for what it did not deliver, by our calculation."""
    # The remains of an order that we split into runs say nothing about a single run.
    ended = Placement.objects.filter(
        provider=provider, run=0, state=PlacementState.CLOSED, ended_at__gt=since, order__remains__gt=0
    )
    rows = ended.values_list("cost", "quantity", "order__remains")
    shares = (
        amounts.divide(amounts.multiply(cost, min(left or 0, quantity)), quantity) for cost, quantity, left in rows
    )
    return amounts.round_down(sum(shares, Decimal(0)))


def _balance_verdict(left: Decimal, cost: Decimal) -> str:
    if abs(left - cost) <= cost * TOLERANCE:
        return "placed"
    return "unplaced" if abs(left) <= cost * TOLERANCE else ""


# ------------------------------------------------------------------------------------------------ for the operator


def why_undecided(placement: Placement) -> str:
    """Return why the search has not decided ``placement``, in the reader's language."""
    if not placement.provider.is_search_allowed:
        return str(WHY_OPEN[WhyOpen.NOT_ALLOWED])
    if not placement.provider.is_search_on:
        return str(WHY_OPEN[WhyOpen.NO_CHECK])
    why = placement.evidence.get("search", {}).get("why", "")
    return str(WHY_OPEN.get(why, why or _("it has not run yet")))


def sentences(placement: Placement) -> list[str]:
    """Return the evidence about ``placement`` in the reader's language, the strongest first."""
    known = placement.evidence
    return [
        *_of_the_link(known.get("later", [])),
        *_of_the_search(known.get("search", {}), placement),
        *_of_the_answer(known),
        *_of_the_balance(known.get("balance", {}), placement.currency),
    ]


def _of_the_link(later: list[dict[str, Any]]) -> Iterator[str]:
    for one in later:
        if one["reason"] == "duplicate":
            yield (
                _(
                    "Order %(order)s with the same link was rejected as a duplicate (“%(words)s”), so this one was "
                    "almost certainly placed."
                )
                % one
            )
        else:
            yield _("Order %(order)s with the same link was rejected later: “%(words)s”.") % one


def _of_the_search(search: dict[str, Any], placement: Placement) -> Iterator[str]:
    for hit in search.get("hits", []):
        yield _(
            "Order %(number)s at the provider belongs to none of our orders: charge %(charge)s, remains %(remains)s, "
            "status “%(word)s”. This order costs %(cost)s."
        ) % {**hit, "word": hit["panel_status"], "cost": f"{amounts.plain(placement.cost)} {placement.currency}"}
    if search.get("why"):
        yield _("The search could not decide: %s.") % WHY_OPEN.get(search["why"], search["why"])
    if search.get("upper"):
        yield _("If it was placed, its number is between %(lower)s and %(upper)s.") % search
    elif search.get("lower"):
        yield _("If it was placed, its number is above %(lower)s.") % search


def _of_the_answer(known: dict[str, Any]) -> Iterator[str]:
    if known.get("holder"):
        yield _("The provider answered with number %(number)s, which order %(holder)s already has.") % known
        if known["is_twin"]:
            yield _(
                "Both orders are for the same link and quantity. The provider probably took them for one request sent "
                "twice and did not place this one. If its API has request_id, turn on “supports request IDs” for the "
                "provider, then send the order again."
            )
    elif known.get("number"):
        yield _("The provider's answer contained the number %s, but also an error.") % known["number"]
    if known.get("said"):
        yield _("The provider said “%s”. If that always means “not placed”, you can save it below.") % known["said"]


def _of_the_balance(balance: dict[str, Any], currency: str) -> Iterator[str]:
    if not balance:
        return
    at = date_format(timezone.localtime(datetime.fromisoformat(balance["at"])), "SHORT_DATETIME_FORMAT")
    yield _(
        "The balance at the provider went from %(before)s to %(now)s %(currency)s (%(at)s). Other orders account for "
        "%(explained)s of that; %(left)s remains. This order costs %(cost)s."
    ) % {**balance, "currency": currency, "at": at}
    if balance["speaks"] == "placed":
        yield _("This suggests that the order was placed, but does not prove it.")
    elif balance["speaks"] == "unplaced":
        yield _("This suggests that the order was not placed, but does not prove it.")
