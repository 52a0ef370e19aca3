"""The content of the back office's start page: tasks for operators, today's figures, and the providers.

Every query reads open rows or today's rows only, never the whole history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django_q.conf import Conf

from orders.admin import base, formatting
from orders.models import Account, Cancellation, Order, Refill, Service, Transfer
from orders.models.ledger import AccountKind, TransferKind
from orders.rules import amounts
from orders.rules.state_machine import Status
from providers import note_texts
from providers.admin import attention
from providers.models import Offer, Placement, PlacementState, Provider
from providers.reconciling import decisions, evidence
from providers.tracking import waiting
from providers.worker import heartbeat
from storefront.accounting import nightly_audit
from storefront.currencies.models import Currency, RateState
from storefront.currencies.problems import FetchProblem
from storefront.mail.checks import is_mail_delivered
from storefront.mail.models import Email
from storefront.payments.models import Payment
from storefront.support.models import Ticket
from storefront.web import formats
from storefront.web.id_ranges import first_since

#: A rate that was entered by hand and is used for payments is old after this time.
OLD_RATE = timedelta(days=30)
#: Counts stop here: "1,000 or more" is enough to act on.
COUNT_LIMIT = 1000


@dataclass(frozen=True, kw_only=True)
class Todo:
    """One entry of the list of tasks; ``icon`` names a drawing in the template, ``label`` is the text of the link."""

    tone: str
    icon: str
    title: str
    detail: str
    label: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ProviderLine:
    """One row of the table of providers."""

    provider: Provider
    state: str
    balance: str
    balance_checked: str
    imported: str


@dataclass(kw_only=True)
class Overview:
    todos: list[Todo] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    providers: list[ProviderLine] = field(default_factory=list)
    may_see_orders: bool = False
    may_see_providers: bool = False


def build(user: Any) -> Overview:
    """Build the parts of the start page that ``user`` may see.

    A user without permissions gets an empty page, without any query for it.
    """
    overview = Overview(
        may_see_orders=user.has_perm("orders.view_order"), may_see_providers=user.has_perm("providers.view_provider")
    )
    providers = list(Provider.objects.all()) if overview.may_see_providers else []
    if overview.may_see_orders or overview.may_see_providers:
        overview.todos += _worker()
    if user.has_perm("mail.view_email"):
        overview.todos += _mail()
    if user.has_perm("accounting.view_auditrun"):
        overview.todos += _audit()
    if overview.may_see_orders:
        overview.todos += _unknown_outcomes()
        overview.todos += _waiting_orders()
    overview.todos += _paused_providers(providers)
    overview.todos += _price_list_problems(providers)
    if user.has_perm("currencies.view_currency"):
        overview.todos += _exchange_rates()
    if user.has_perm("support.view_ticket"):
        overview.todos += _tickets()
    if overview.may_see_orders:
        overview.todos += _requests()
        overview.todos += _slow_requests()
    if user.has_perm("payments.view_payment"):
        overview.todos += _payments()
    if user.has_perm("orders.view_service"):
        overview.todos += _pending_approvals()
        overview.todos += _catalog()
    if overview.may_see_orders and user.has_perm("orders.view_transfer"):
        overview.figures = list(_figures())
    overview.providers = [_line(provider) for provider in providers]
    return overview


# ------------------------------------------------------------------------------------------------ tasks


def _mail() -> Iterator[Todo]:
    if settings.DEMO or is_mail_delivered():
        return
    waiting_emails = _capped(Email.objects.filter(sent_at=None, given_up_at=None))
    yield Todo(
        tone="danger",
        icon="warning",
        title=_("Emails are not being sent"),
        detail=_("No mail server is configured. Set EMAIL_URL. Emails waiting: %s") % formats.number(waiting_emails),
        label=_("View emails"),
        url=base.list_url(Email),
    )


def _audit() -> Iterator[Todo]:
    """Yield a task if the last audit of the ledger found anything."""
    last = nightly_audit.latest()
    if last is not None and last.count:
        text = ngettext("%s discrepancy in the ledger", "%s discrepancies in the ledger", last.count)
        yield Todo(
            tone="danger",
            icon="warning",
            title=_with_count(text, last.count),
            detail=last.findings[0],
            label=_("View audit"),
            url=base.page_url(last),
        )


def _unknown_outcomes() -> Iterator[Todo]:
    """Yield a task for orders with an unknown outcome that need a decision, with the reason for the oldest one."""
    undecided = decisions.awaiting_decision()
    count = _capped(undecided)
    if count:
        oldest = undecided.select_related("provider")[0]
        text = ngettext("%s order with an unknown outcome", "%s orders with an unknown outcome", count)
        yield Todo(
            tone="danger",
            icon="doubt",
            title=_with_count(text, count),
            detail=_("Decide whether the provider has them. Oldest: %(age)s, at %(provider)s: %(why)s")
            % {
                "age": formatting.ago(oldest.in_doubt_at or oldest.created_at),
                "provider": oldest.provider,
                "why": evidence.why_undecided(oldest),
            },
            label=_("View orders"),
            url=base.list_url(Order, attention="undecided"),
        )


def _worker() -> Iterator[Todo]:
    """Yield a task if no worker is running, judged by the database's clock: no order is placed then."""
    if Conf.SYNC:
        return  # tasks run in the process that queues them, so no worker is needed
    pulse = heartbeat.pulse()
    if pulse.is_alive:
        return
    queued = _capped(Order.objects.open().filter(status=Status.QUEUED))
    sentences = [_("Orders are not placed or tracked. Start the worker with “python manage.py worker”.")]
    if queued:
        text = ngettext("%s order is waiting.", "%s orders are waiting.", queued)
        sentences.insert(0, _with_count(text, queued))
    if pulse.seen_at:
        sentences.append(_("Last seen %s ago.") % formatting.ago(pulse.seen_at))
    yield Todo(
        tone="danger",
        icon="warning",
        title=_("No worker is running"),
        detail=" ".join(sentences),
        label=_("View orders"),
        url=base.list_url(Order, status__exact="queued"),
    )


def _waiting_orders() -> Iterator[Todo]:
    """Yield a task for each reason why orders wait too long, with their number and the longest wait."""
    for name, reason in attention.REASONS.items():
        if name == "undecided":
            continue  # shown with more detail by ``_unknown_outcomes``
        since = "odd_at" if name == "odd" else "created_at"
        rows = waiting.ORDERS[name]().order_by().values(since)[:COUNT_LIMIT]
        found = rows.aggregate(count=Count(since), oldest=Min(since))
        if found["count"]:
            oldest = _("Longest wait: %s.") % formatting.ago(found["oldest"])
            yield Todo(
                tone=reason.tone,
                icon=reason.icon,
                title=_with_count(reason.title(found["count"]), found["count"]),
                detail=f"{oldest} {reason.detail}",
                label=_("View orders"),
                url=base.list_url(Order, attention=name),
            )


def _paused_providers(providers: list[Provider]) -> Iterator[Todo]:
    for provider in providers:
        if provider.is_active and provider.is_paused:
            yield Todo(
                tone="danger",
                icon="pause",
                title=_("Provider %s is paused") % provider,
                detail=_("%(reason)s. Until %(until)s")
                % {
                    "reason": note_texts.describe(provider.pause_reason).rstrip("."),
                    "until": timezone.localtime(provider.paused_until).strftime("%H:%M"),
                },
                label=pgettext("button: go there", "Open"),
                url=base.page_url(provider),
            )


def _price_list_problems(providers: list[Provider]) -> Iterator[Todo]:
    for provider in providers:
        if provider.is_active and provider.price_list_error:
            yield Todo(
                tone="warning",
                icon="warning",
                title=_("The price list of %s was not imported") % provider,
                detail=note_texts.describe(provider.price_list_error),
                label=pgettext("button: go there", "Open"),
                url=base.page_url(provider),
            )


def _requests() -> Iterator[Todo]:
    """Yield tasks for refills and cancellations that no panel can be asked for, or whose answer was unclear."""
    refills, cancels = (_capped(model.objects.queue()) for model in (Refill, Cancellation))
    if cancels:
        yield Todo(
            tone="danger",
            icon="warning",
            title=_with_count(ngettext("%s cancellation to handle", "%s cancellations to handle", cancels), cancels),
            detail=_("Their providers do not accept cancellation requests or gave an unclear answer."),
            label=_("View cancellations"),
            url=base.list_url(Cancellation),
        )
    if refills:
        yield Todo(
            tone="warning",
            icon="clock",
            title=_with_count(ngettext("%s refill to handle", "%s refills to handle", refills), refills),
            detail=_("Their providers do not accept refill requests or gave an unclear answer."),
            label=_("View refills"),
            url=base.list_url(Refill),
        )


def _slow_requests() -> Iterator[Todo]:
    """Yield tasks for refills and cancellations that a provider accepted and has not carried out."""
    cancels, refills = (_capped(waiting.slow_requests(model)) for model in (Cancellation, Refill))
    if cancels:
        text = ngettext("%s overdue cancellation", "%s overdue cancellations", cancels)
        yield Todo(
            tone="warning",
            icon="clock",
            title=_with_count(text, cancels),
            detail=_("Requested more than two days ago, but the provider is still delivering."),
            label=_("View cancellations"),
            url=base.list_url(Cancellation, attention="slow"),
        )
    if refills:
        text = ngettext("%s overdue refill", "%s overdue refills", refills)
        yield Todo(
            tone="warning",
            icon="clock",
            title=_with_count(text, refills),
            detail=_("Requested more than two weeks ago, but the provider has not finished."),
            label=_("View refills"),
            url=base.list_url(Refill, attention="slow"),
        )


def _tickets() -> Iterator[Todo]:
    waiting = _capped(Ticket.objects.waiting())
    if waiting:
        oldest = Ticket.objects.waiting().values_list("waiting_since", flat=True)[0]
        yield Todo(
            tone="warning",
            icon="clock",
            title=_with_count(
                ngettext("%s ticket waiting for a reply", "%s tickets waiting for a reply", waiting), waiting
            ),
            detail=_("Longest wait: %s.") % formatting.ago(oldest),
            label=_("View tickets"),
            url=base.list_url(Ticket),
        )


def _payments() -> Iterator[Todo]:
    """Yield a task for payments to review: with a proof to check, or with another amount than was requested."""
    reviews = _capped(Payment.objects.in_review())
    if reviews:
        yield Todo(
            tone="warning",
            icon="clock",
            title=_with_count(ngettext("%s payment to review", "%s payments to review", reviews), reviews),
            detail=_("Check proofs of payment and amounts that differ from those requested."),
            label=_("Review payments"),
            url=base.list_url(Payment, review="1"),
        )


def _exchange_rates() -> Iterator[Todo]:
    """Yield tasks for rates at which no payments are made, for failing sources, and for old rates entered by hand."""
    now = timezone.now()
    currencies = list(Currency.objects.select_related("source"))
    states = {row.code: row.state(now) for row in currencies}
    waiting = [code for code, state in states.items() if state is RateState.WAITING]
    outdated = [code for code, state in states.items() if state is RateState.OUTDATED]
    old = [
        row.code for row in currencies
        if states[row.code] is RateState.ENTERED and row.is_payable and row.rate_at and row.rate_at < now - OLD_RATE
    ]  # fmt: skip
    url = base.list_url(Currency)
    if waiting:
        count = len(waiting)
        text = ngettext("%s exchange rate waiting for approval", "%s exchange rates waiting for approval", count)
        detail = _("Payments in these currencies are stopped: %s.") % ", ".join(waiting)
        yield _rates_todo("danger", "doubt", _with_count(text, count), detail, f"{url}?state=waiting")
    if outdated:
        text = ngettext("%s outdated exchange rate", "%s outdated exchange rates", len(outdated))
        detail = _("Payments in these currencies are stopped: %s.") % ", ".join(outdated)
        yield _rates_todo("danger", "warning", _with_count(text, len(outdated)), detail, f"{url}?state=outdated")
    for source in {row.source for row in currencies if row.source and row.source.is_active and row.source.problem}:
        yield Todo(
            tone="warning",
            icon="warning",
            title=_("Exchange rates of %s are not updated") % source,
            detail=str(FetchProblem(source.problem).label),
            label=pgettext("button: go there", "Open"),
            url=base.page_url(source),
        )
    if old:
        text = ngettext("%s exchange rate entered long ago", "%s exchange rates entered long ago", len(old))
        detail = _("Payments use rates that were entered over 30 days ago: %s.") % ", ".join(old)
        yield _rates_todo("warning", "clock", _with_count(text, len(old)), detail, f"{url}?state=entered")


def _rates_todo(tone: str, icon: str, title: str, detail: str, url: str) -> Todo:
    return Todo(tone=tone, icon=icon, title=title, detail=detail, label=_("Review exchange rates"), url=url)


def _pending_approvals() -> Iterator[Todo]:
    held = _capped(attention.held())
    if held:
        text = ngettext("%s provider service waiting for approval", "%s provider services waiting for approval", held)
        yield Todo(
            tone="warning",
            icon="doubt",
            title=_with_count(text, held),
            detail=_("The cost rose sharply, the service reappeared, or its ID now belongs to a different service."),
            label=_("Review provider services"),
            url=base.list_url(Offer, state="held_used"),
        )


def _catalog() -> Iterator[Todo]:
    loss, unserved, gone = (_capped(rows()) for rows in (attention.at_a_loss, attention.unserved, attention.gone))
    if loss:
        text = ngettext("%s service sold below cost", "%s services sold below cost", loss)
        yield Todo(
            tone="warning",
            icon="warning",
            title=_with_count(text, loss),
            detail=_("At least one route costs more than the price."),
            label=_("Review prices"),
            url=base.list_url(Service, attention="loss"),
        )
    if unserved:
        text = ngettext("%s active service has no usable route", "%s active services have no usable route", unserved)
        yield Todo(
            tone="warning",
            icon="warning",
            title=_with_count(text, unserved),
            detail=_("Customers can order, but their orders will wait."),
            label=_("View services"),
            url=base.list_url(Service, attention="unserved"),
        )
    if gone:
        text = ngettext("%s provider service in use was removed", "%s provider services in use were removed", gone)
        yield Todo(
            tone="info",
            icon="info",
            title=_with_count(text, gone),
            detail=_("An active service has a route to it, but it is no longer in the provider's price list."),
            label=_("View provider services"),
            url=base.list_url(Offer, state="gone_used"),
        )


def _capped(rows: QuerySet[Any]) -> int:
    return rows.order_by()[:COUNT_LIMIT].count()


def _with_count(sentence: str, count: int) -> str:
    return sentence % (_("%s or more") % formatting.count(count) if count >= COUNT_LIMIT else formatting.count(count))


# ------------------------------------------------------------------------------------------------ figures


def _figures() -> Iterator[Figure]:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    first = first_since(Order, midnight)
    today = Order.objects.filter(pk__gte=first).aggregate(count=Count("pk"), sales=Sum("charge"))
    sales = today["sales"] or Decimal(0)
    yield Figure(name=_("Orders today"), value=formatting.count(today["count"]))
    yield Figure(name=_("Sales today"), value=formatting.rounded(sales), note=_margin(first))
    refunds = Transfer.objects.filter(pk__gte=first_since(Transfer, midnight), kind=TransferKind.REFUND)
    back = refunds.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    share = _("%s of sales") % formatting.percent(back / sales) if sales else ""
    yield Figure(name=_("Refunded today"), value=formatting.rounded(back), note=share)
    wallets = Account.objects.filter(kind=AccountKind.WALLET).aggregate(
        held=Sum("balance"), full=Count("pk", filter=Q(balance__gt=0))
    )
    held = ngettext("%s customer", "%s customers", wallets["full"]) % formatting.count(wallets["full"])
    yield Figure(name=_("Customer balances"), value=formatting.rounded(wallets["held"] or Decimal(0)), note=held)


def _margin(first: int) -> str:
    """Return cost and margin of the orders from id ``first`` on that a provider accepted, after refunds."""
    taken = Placement.objects.filter(
        order_id__gte=first, state__in=(PlacementState.ACCEPTED, PlacementState.CLOSED)
    ).order_by()
    by_rate = taken.values("exchange_rate").annotate(
        spent=Sum(Coalesce("charged", "cost")), charge=Sum("order__charge"), refunded=Sum(F("order__refunded"))
    )
    cost = earned = Decimal(0)
    for row in by_rate:
        cost += amounts.multiply(row["spent"], row["exchange_rate"])
        earned += row["charge"] - row["refunded"]
    if not earned:
        return ""
    margin = formatting.percent((earned - cost) / earned)
    return format_html(_("cost {cost}, margin {margin}"), cost=formatting.rounded(cost), margin=margin)


def _line(provider: Provider) -> ProviderLine:
    if not provider.is_active:
        state = formatting.status_badge("canceled", label=_("Inactive"))
    elif provider.is_paused:
        state = formatting.status_badge("partial", label=_("Paused"))
    else:
        state = formatting.status_badge("completed", label=_("Active"))
    return ProviderLine(
        provider=provider,
        state=state,
        balance=formatting.amount(provider.balance, provider.currency),
        balance_checked=formatting.moment(provider.balance_seen_at),
        imported=formatting.moment(provider.imported_at),
    )
