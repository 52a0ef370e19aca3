"""The tables of providers, price lists, submissions and background work."""

from providers.models.balance import BalanceReading, ProviderDeposit
from providers.models.offer import Markup, Offer, OfferChange, Route
from providers.models.placement import (
    BILLED,
    LIVE,
    CallOutcome,
    PanelCall,
    Placement,
    PlacementState,
    RefusalReason,
    UpstreamRequest,
)
from providers.models.provider import CallStats, Provider, ProviderStats, RefusalText
from providers.models.type_rule import TypeRule
from providers.worker.models import Heartbeat, QueuedTask, Turn

__all__ = [
    "BILLED",
    "LIVE",
    "BalanceReading",
    "CallOutcome",
    "CallStats",
    "Heartbeat",
    "Markup",
    "Offer",
    "OfferChange",
    "PanelCall",
    "Placement",
    "PlacementState",
    "Provider",
    "ProviderDeposit",
    "ProviderStats",
    "QueuedTask",
    "RefusalReason",
    "RefusalText",
    "Route",
    "Turn",
    "TypeRule",
    "UpstreamRequest",
]
