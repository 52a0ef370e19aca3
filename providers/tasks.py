"""django-q2 entry points, a few lines each, and the schedules. The order table is the queue; these only look at it."""

from __future__ import annotations

from django.core.cache import cache

from orders import ledger, measuring
from orders.models import Order
from providers import errands, evidence, health, history, pricelist, probing, routing, submission, syncing
from providers.models import Provider
from providers.schedules import Schedule
from providers.worker import heartbeat
from providers.worker.queue import enqueue_once

SCHEDULES = (
    Schedule("tick", "providers.tasks.tick", minutes=1),
    Schedule("price lists", "providers.tasks.import_due", minutes=60),
    Schedule("control", "providers.tasks.control_due", minutes=60),
    Schedule("look back", "providers.tasks.look_back_due", minutes=1440),
    Schedule("measures", "providers.tasks.measure", minutes=10),
    Schedule("price levels", "providers.tasks.raise_levels", minutes=10),
    Schedule("clean up", "providers.tasks.prune", minutes=1440),
)
#: Seconds in which this process asks for a look only once: asking costs more than placing an order may.
_ONE_WAKE = 1


def wake(order: Order) -> None:
    """An order waits: look for due work now rather than at the next tick."""
    if cache.add("providers.wake", 1, _ONE_WAKE):
        enqueue_once("providers.tasks.tick")


def tick() -> None:
    """Starts what is due: a task for each provider, so that a slow one holds up nobody else."""
    submission.expire_leases()
    for provider_id in routing.providers_to_submit():
        enqueue_once("providers.tasks.submit_due", provider_id)
    for provider_id in syncing.providers_to_sync():
        enqueue_once("providers.tasks.sync_statuses", provider_id)
    probe_due()
    errands_due()
    heartbeat.beat()


def probe_due() -> None:
    for provider_id in probing.providers_to_search():
        enqueue_once("providers.tasks.search", provider_id)


def search(provider_id: int) -> None:
    probing.search(Provider.objects.get(pk=provider_id))


def errands_due() -> None:
    for provider_id in errands.sort_out():
        enqueue_once("providers.tasks.run_errands", provider_id)


def run_errands(provider_id: int) -> None:
    errands.run(Provider.objects.get(pk=provider_id))


def control_due() -> None:
    for provider_id in probing.providers_to_control():
        enqueue_once("providers.tasks.control", provider_id)


def look_back_due() -> None:
    for provider_id in Provider.objects.filter(is_active=True, is_probe_allowed=True).values_list("pk", flat=True):
        enqueue_once("providers.tasks.look_back", provider_id)


def control(provider_id: int) -> None:
    probing.control(Provider.objects.get(pk=provider_id))


def look_back(provider_id: int) -> None:
    probing.look_back(Provider.objects.get(pk=provider_id))


def submit_due(provider_id: int) -> None:
    submission.submit_due(Provider.objects.get(pk=provider_id))


def sync_statuses(provider_id: int) -> None:
    provider = Provider.objects.get(pk=provider_id)
    syncing.sync_statuses(provider)
    evidence.refresh(provider)


def import_due() -> None:
    for provider_id in Provider.objects.filter(is_active=True).values_list("pk", flat=True):
        enqueue_once("providers.tasks.import_offers", provider_id)


def import_offers(provider_id: int) -> None:
    pricelist.import_offers(Provider.objects.get(pk=provider_id))


def measure() -> None:
    measuring.measure_due()
    health.measure_due()


def raise_levels() -> None:
    ledger.raise_levels()


def prune() -> None:
    history.prune()
