"""The rows of the middle floor."""

from providers.models.offer import Markup, Offer, OfferChange, Route
from providers.models.placement import LIVE, PanelCall, Placement, PlacementState, UpstreamRequest
from providers.models.provider import CallStats, Provider, ProviderStats, RefusalText
from providers.models.type_rule import TypeRule
from providers.worker.models import Heartbeat, QueuedTask, Turn

__all__ = [
    "LIVE",
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
    "RefusalText",
    "Route",
    "Turn",
    "TypeRule",
    "UpstreamRequest",
]
