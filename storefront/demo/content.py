"""Initial texts of the demo shop: terms, frequently asked questions, ticket categories and canned replies."""

from __future__ import annotations

CATEGORIES = ("Orders", "Payments", "API", "Other")

#: The category whose services accept links of one site only, and the pattern of those links.
LINK_CATEGORY = "Photo network"
LINK_PATTERN = r"https://photos\.example\.com/[\w./-]+"

REPLIES = (
    (
        "We are looking into it",
        "Hello {name},\n\nThank you for your message. We are looking into order {order} and will reply here as soon as "
        "we know more.",
    ),
    (
        "Link must be public",
        "Hello {name},\n\nOrder {order} cannot be delivered because its link is private or does not open. Please make "
        "it public and reply here.",
    ),
)

TERMS = """\
These terms apply between you and the shop. You accept them when you create an account.

# What we sell
Each service states what is delivered, in which quantity, and at what price. Delivery times are averages of earlier \
orders and are not guaranteed.

# Payment
Orders are paid from your balance when you place them, at the price shown at that moment. There are no hidden fees.

# Refunds
- An order that cannot be delivered is refunded in full.
- If an order is delivered in part, we refund what was not delivered.
- Refunds are added to your balance.

# Your responsibilities
- Use only links that are public and that you have the right to use.
- Do not place a second order for a link while the first one is in progress.
- Keep your password and API keys secret. Anyone who has them can spend your balance.

# Refills and cancellations
Each service shows whether it can be refilled or canceled. You can request both on the order's page.

# Changes
We announce changes to these terms on the Updates page before they take effect.
"""

FAQ = """\
# How do I place an order?
Choose a service, enter the link and the quantity, and place the order. The price is shown as you type.

# When does my order start?
Most services show how long earlier orders took to start and to complete. The order's page updates automatically.

# What do the statuses mean?
- Pending: the order is paid and waiting to start.
- Processing and In progress: delivery has started.
- Completed: everything was delivered.
- Partial: a part was delivered, and the rest was refunded.
- Canceled: the order was stopped, and what was not delivered was refunded.

# What if the number drops after delivery?
If the service includes refills, request one on the order's page.

# Can I change a wrong link?
No. If the service can be canceled, cancel the order on its page. Otherwise, open a ticket.

# Can I order through an API?
Yes. Create an API key in your account. The API page explains how to use it.
"""

#: Slug, title and text of each page.
PAGES = (("terms", "Terms", TERMS), ("faq", "FAQ", FAQ))
