"""A panel simulator of the standard kind: form POST, every verb and service type of the family. Only declarations."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from providers.panels.simulators.orders import PanelService, SimulatedOrder
from providers.panels.simulators.panel import Panel
from providers.panels.simulators.reading import Fields

PHOTO, VIDEO, TALK, SITE = "Photo network", "Video platform", "Messenger", "Websites"

CATALOG = (
    PanelService(
        1, "Photo followers, worldwide", "Default", PHOTO, Decimal("0.90"), 50, 10_000, refill=True, cancel=True
    ),
    PanelService(2, "Photo comments, your text", "Custom Comments", PHOTO, Decimal("8"), 10, 1_500, cancel=True),
    PanelService(3, "Video views, high retention", "Default", VIDEO, Decimal("1.342"), 100, 1_000_000, refill=True),
    PanelService(4, "Photo likes, monthly bundle", "Package", PHOTO, Decimal("12.50"), 1, 1),
    PanelService(5, "Search visits by keyword", "SEO", SITE, Decimal("2.15"), 100, 50_000),
    PanelService(6, "Video comments, starter set", "Custom Comments Package", VIDEO, Decimal("4.99"), 1, 1),
    PanelService(7, "Photo mentions, your users", "Mentions", PHOTO, Decimal("3.20"), 10, 5_000),
    PanelService(8, "Photo mentions with tags", "Mentions with Hashtags", PHOTO, Decimal("3.75"), 10, 5_000),
    PanelService(9, "Photo mentions, your list", "Mentions Custom List", PHOTO, Decimal("4.10"), 5, 20_000),
    PanelService(10, "Photo mentions by one tag", "Mentions Hashtag", PHOTO, Decimal("2.95"), 100, 20_000),
    PanelService(
        11, "Photo mentions, followers of a profile", "Mentions User Followers", PHOTO, Decimal("3.05"), 100, 20_000
    ),
    PanelService(12, "Photo mentions, likers of a post", "Mentions Media Likers", PHOTO, Decimal("3.05"), 100, 20_000),
    PanelService(
        13, "Video comment likes", "Comment Likes", VIDEO, Decimal("1.80"), 20, 5_000, refill=True, cancel=True
    ),
    PanelService(14, "Video comment replies, your text", "Comment Replies", VIDEO, Decimal("9.40"), 5, 500),
    PanelService(15, "Channel poll votes", "Poll", TALK, Decimal("0.65"), 10, 30_000, cancel=True),
    PanelService(16, "Group members by invitation", "Invites from Groups", TALK, Decimal("6.30"), 50, 10_000),
    PanelService(17, "Likes on new posts", "Subscriptions", PHOTO, Decimal("1.10"), 20, 10_000, cancel=True),
    PanelService(18, "Website visits, by country", "Web Traffic", SITE, Decimal("0.45"), 100, 1_000_000),
)

DRIP_FEED = ("runs", "interval")

ADD_FIELDS = {
    "Default": Fields(("service", "link", "quantity"), together=DRIP_FEED),
    "Package": Fields(("service", "link")),
    "SEO": Fields(("service", "link", "quantity", "keywords")),
    "Custom Comments": Fields(("service", "link", "comments"), optional=("quantity",)),
    "Custom Comments Package": Fields(("service", "link", "comments")),
    "Mentions": Fields(("service", "link", "quantity", "usernames")),
    "Mentions with Hashtags": Fields(("service", "link", "quantity", "usernames", "hashtags")),
    "Mentions Custom List": Fields(("service", "link", "usernames")),
    "Mentions Hashtag": Fields(("service", "link", "quantity", "hashtag")),
    "Mentions User Followers": Fields(("service", "link", "quantity", "username")),
    "Mentions Media Likers": Fields(("service", "link", "quantity", "media")),
    "Comment Likes": Fields(("service", "link", "quantity", "username")),
    "Comment Replies": Fields(("service", "link", "username", "comments")),
    "Poll": Fields(("service", "link", "quantity", "answer_number")),
    "Invites from Groups": Fields(("service", "link", "quantity", "groups")),
    "Subscriptions": Fields(("service", "username", "min", "max", "delay"), optional=("posts", "old_posts", "expiry")),
    "Web Traffic": Fields(
        ("service", "link", "quantity", "country", "device", "type_of_traffic"),
        optional=("google_keyword", "referring_url"),
        together=DRIP_FEED,
    ),
}


class V2(Panel):
    """Everything the document has, in the shapes of its examples; lists of up to 100 ids.

    With ``tells_posts`` the status of a subscription has the shape that many panels of the family give it: the posts
    served, and neither charge nor remains. With ``knows_request_ids`` it has what some panels add to the document: an
    ``add`` that repeats an earlier one gets that one's number, unless each of the two has a ``request_id`` of its own.
    """

    tells_posts: bool = False
    knows_request_ids: bool = False

    catalog = CATALOG
    add_fields = ADD_FIELDS
    most_ids = 100
    verbs = {
        "services": Fields(),
        "balance": Fields(),
        "add": Fields(),
        "status": Fields(either=("order", "orders")),
        "refill": Fields(either=("order", "orders")),
        "refill_status": Fields(either=("refill", "refills")),
        "cancel": Fields(("orders",)),
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._answered: dict[object, object] = {}

    def add(self, params: dict[str, str]) -> object:
        if not self.knows_request_ids:
            return super().add(params)
        known = params.pop("request_id", "") or tuple(sorted(params.items()))
        if known not in self._answered:
            self._answered[known] = super().add(params)
        return self._answered[known]

    def status_row(self, order: SimulatedOrder) -> dict[str, object]:
        if not (self.tells_posts and self.services[order.service].type == "Subscriptions"):
            return super().status_row(order)
        status = "Active" if order.status in (self.statuses.pending, self.statuses.running) else order.status
        served = (order.quantity - order.remains) // int(order.params["max"])
        return {"status": status, "expiry": status == "Expired", "posts": served, "orders": []}
