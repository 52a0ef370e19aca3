"""The tables of providers, price lists, submissions and background work."""

from providers.models.offer import Markup, Offer, OfferChange, Route
from providers.models.placement import (
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
    "LIVE",
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
    "ProviderStats",
    "QueuedTask",
    "RefusalReason",
    "RefusalText",
    "Route",
    "Turn",
    "TypeRule",
    "UpstreamRequest",
]
