"""The rows of the middle floor."""

from providers.models.offer import Markup, Offer, OfferChange, Route
from providers.models.placement import LIVE, Errand, PanelCall, Placement, State
from providers.models.provider import CallTally, Provider, ProviderMeasure, RefusalText
from providers.models.type_rule import TypeRule
from providers.worker.models import Heartbeat, QueuedTask, Turn

__all__ = [
    "LIVE",
    "CallTally",
    "Errand",
    "Heartbeat",
    "Markup",
    "Offer",
    "OfferChange",
    "PanelCall",
    "Placement",
    "Provider",
    "ProviderMeasure",
    "QueuedTask",
    "RefusalText",
    "Route",
    "State",
    "Turn",
    "TypeRule",
]
