"""The rows of the middle floor."""

from providers.models.offer import Markup, Offer, OfferChange, Route
from providers.models.placement import LIVE, PanelCall, Placement, PlacementState, UpstreamRequest
from providers.models.provider import CallTally, Provider, ProviderMeasure, RefusalText
from providers.models.type_rule import TypeRule
from providers.worker.models import Heartbeat, QueuedTask, Turn

__all__ = [
    "LIVE",
    "CallTally",
    "Heartbeat",
    "Markup",
    "Offer",
    "OfferChange",
    "PanelCall",
    "Placement",
    "PlacementState",
    "Provider",
    "ProviderMeasure",
    "QueuedTask",
    "RefusalText",
    "Route",
    "Turn",
    "TypeRule",
    "UpstreamRequest",
]
