"""The models of support: tickets, announcements and info pages."""

from storefront.support.models.news import Announcement, InfoPage, PageText
from storefront.support.models.ticket import Attachment, CannedReply, Message, Ticket, TicketCategory, TicketOrder

__all__ = [
    "Announcement",
    "Attachment",
    "CannedReply",
    "InfoPage",
    "Message",
    "PageText",
    "Ticket",
    "TicketCategory",
    "TicketOrder",
]
