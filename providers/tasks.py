"""Background tasks and their schedules. Each task reads from the tables what is due."""

from __future__ import annotations

from django.core.cache import cache

from orders.catalog import delivery_stats
from orders.ledger import transfers
from orders.models import Order
from providers.models import Provider
from providers.placing import routing, submission
from providers.pricelists import importer
from providers.reconciling import evidence, id_search
from providers.tracking import status_sync, upstream_requests
from providers.transport import call_stats, retention
from providers.worker import heartbeat
from providers.worker.queue import enqueue_once
from providers.worker.schedules import Schedule

SCHEDULES = (
    Schedule("tick", "providers.tasks.tick", minutes=1),
    Schedule("price lists", "providers.tasks.import_due", minutes=60),
    Schedule("search check", "providers.tasks.check_search_due", minutes=60),
    Schedule("recheck of orders not placed", "providers.tasks.recheck_not_placed_due", minutes=1440),
    Schedule("measures", "providers.tasks.measure", minutes=10),
    Schedule("price levels", "providers.tasks.raise_levels", minutes=10),
    Schedule("clean up", "providers.tasks.prune", minutes=1440),
)
#: Seconds in which this process queues a tick only once, because queueing one may cost more than placing an order.
_ONE_WAKE = 1


def wake(order: Order) -> None:
    """Queue a tick because ``order`` waits, so that it is placed now rather than at the next scheduled tick."""
    if cache.add("providers.wake", 1, _ONE_WAKE):
        enqueue_once("providers.tasks.tick")


def tick() -> None:
    """Queue what is due, one task per provider, so that a slow provider does not delay the others."""
    submission.expire_leases()
    for provider_id in routing.providers_to_submit():
        enqueue_once("providers.tasks.submit_due", provider_id)
    for provider_id in status_sync.providers_to_sync():
        enqueue_once("providers.tasks.sync_statuses", provider_id)
    search_due()
    requests_due()
    heartbeat.beat()


def search_due() -> None:
    for provider_id in id_search.providers_to_search():
        enqueue_once("providers.tasks.search", provider_id)


def search(provider_id: int) -> None:
    id_search.search(Provider.objects.get(pk=provider_id))


def requests_due() -> None:
    for provider_id in upstream_requests.triage():
        enqueue_once("providers.tasks.run_requests", provider_id)


def run_requests(provider_id: int) -> None:
    upstream_requests.run(Provider.objects.get(pk=provider_id))


def check_search_due() -> None:
    for provider_id in id_search.providers_to_check():
        enqueue_once("providers.tasks.check_search", provider_id)


def recheck_not_placed_due() -> None:
    for provider_id in Provider.objects.filter(is_active=True, is_search_allowed=True).values_list("pk", flat=True):
        enqueue_once("providers.tasks.recheck_not_placed", provider_id)


def check_search(provider_id: int) -> None:
    id_search.check_search(Provider.objects.get(pk=provider_id))


def recheck_not_placed(provider_id: int) -> None:
    id_search.recheck_not_placed(Provider.objects.get(pk=provider_id))


def submit_due(provider_id: int) -> None:
    submission.submit_due(Provider.objects.get(pk=provider_id))


def sync_statuses(provider_id: int) -> None:
    provider = Provider.objects.get(pk=provider_id)
    status_sync.sync_statuses(provider)
    evidence.refresh(provider)


def import_due() -> None:
    for provider_id in Provider.objects.filter(is_active=True).values_list("pk", flat=True):
        enqueue_once("providers.tasks.import_offers", provider_id)


def import_offers(provider_id: int) -> None:
    importer.import_offers(Provider.objects.get(pk=provider_id))


def measure() -> None:
    delivery_stats.update_delivery_stats()
    call_stats.measure_due()


def raise_levels() -> None:
    transfers.raise_price_levels()


def prune() -> None:
    retention.prune()
