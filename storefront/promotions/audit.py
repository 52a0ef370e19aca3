"""Check the bonuses against the ledger.

The audit reads everything, writes nothing and shares no code with the modules that write. ``manage.py audit_ledger``
calls it through the setting ORDERS_AUDITS.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Count, F, Sum

from orders.models import Transfer
from orders.models.ledger import TransferKind
from orders.rules import amounts
from storefront.promotions.models import AffiliatePayout, Bonus, BonusSource, Coupon, PaymentBonus, PromotionSettings

BACK = ":back:"


def findings() -> Iterator[str]:
    """Yield a sentence for each bonus without its transfers, transfer without its bonus, and wrong sum."""
    given, taken = _booked()
    rows = Bonus.objects.order_by("pk").values_list("reference", "user_id", "amount", "taken_back")
    for reference, user_id, amount, taken_back in rows.iterator(chunk_size=2000):
        booked = given.pop((reference, user_id), Decimal(0))
        if booked != amount:
            yield f"bonus {reference}: its row says {_plain(amount)}, but the balance received {_plain(booked)}"
        returned = taken.pop((reference, user_id), Decimal(0))
        if returned != taken_back:
            yield (
                f"bonus {reference}: its row says that {_plain(taken_back)} was taken back, but the balance returned "
                f"{_plain(returned)}"
            )
    for reference, _user_id in sorted({*given, *taken}, key=str):
        yield f"there is no bonus for the transfer bonus:{reference}"
    yield from _wrong_sums()


def _booked() -> tuple[dict[tuple[str, int | None], Decimal], dict[tuple[str, int | None], Decimal]]:
    """Return what the transfers gave and took back, by the bonus's reference and the customer."""
    given: defaultdict[tuple[str, int | None], Decimal] = defaultdict(Decimal)
    taken: defaultdict[tuple[str, int | None], Decimal] = defaultdict(Decimal)
    columns = ("reference", "wallet__user_id", "amount", "source_id", "wallet_id")
    rows = Transfer.objects.filter(kind=TransferKind.BONUS, order__isnull=True).values_list(*columns)
    for reference, user_id, amount, source_id, wallet_id in rows.iterator(chunk_size=2000):
        name, back, _units = reference.removeprefix("bonus:").partition(BACK)
        received = -amount if source_id == wallet_id else amount
        if back:
            taken[(name, user_id)] -= received
        else:
            given[(name, user_id)] += received
    return given, taken


def _wrong_sums() -> Iterator[str]:
    """Yield a sentence for each payment bonus, coupon and budget whose sum differs from its bonuses."""
    net = Sum(F("bonuses__amount") - F("bonuses__taken_back"), output_field=PaymentBonus._meta.get_field("given"))
    for pk, total, booked in PaymentBonus.objects.annotate(net=net).order_by("pk").values_list("pk", "given", "net"):
        if total != (booked or Decimal(0)):
            booked_text = _plain(booked or Decimal(0))
            yield f"payment bonus {pk}: {_plain(total)} counts as given, but its bonuses total {booked_text}"
    welcome = Bonus.objects.filter(source=BonusSource.WELCOME).aggregate(given=Sum("amount"))["given"] or Decimal(0)
    counted = PromotionSettings.objects.values_list("welcome_given", flat=True).first() or Decimal(0)
    if welcome != counted:
        yield f"welcome credit: {_plain(counted)} counts as given, but its bonuses total {_plain(welcome)}"
    yield from _wrong_payouts()
    for code, uses, found in Coupon.objects.annotate(found=Count("bonuses")).values_list("code", "uses", "found"):
        if uses != found:
            yield f"coupon {code}: it counts {uses} uses, but {found} bonuses were given"


def _wrong_payouts() -> Iterator[str]:
    """Yield a sentence for each transfer of commissions that differs from its commissions or its bonus."""
    bonuses = dict(Bonus.objects.filter(source=BonusSource.AFFILIATE).values_list("reference", "amount"))
    sums = AffiliatePayout.objects.annotate(total=Sum("commissions__amount")).order_by("pk")
    for pk, amount, total in sums.values_list("pk", "amount", "total"):
        booked = bonuses.pop(f"affiliate:{pk}", Decimal(0))
        if not amount == booked == (total or Decimal(0)):
            yield (
                f"transfer of commissions {pk}: it says {_plain(amount)}, its commissions total "
                f"{_plain(total or Decimal(0))}, and its bonus is {_plain(booked)}"
            )
    for reference in sorted(bonuses):
        yield f"bonus {reference}: there is no transfer of commissions"


def _plain(amount: Decimal) -> str:
    return amounts.plain(amount)
