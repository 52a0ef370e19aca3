"""Initial texts of the demo shop: terms, frequently asked questions, ticket categories and canned replies."""

from __future__ import annotations

CATEGORIES = ("Orders", "Payments", "API", "Something else")

#: The category whose services accept links of one site only, and the pattern of those links.
LINKED = "Photo network"
LINK_PATTERN = r"https://photos\.example\.com/[\w./-]+"

REPLIES = (
    (
        "We are looking into it",
        "Hello {name},\n\nthank you for your message. We are looking into order {order} and write here as soon as we "
        "know more.",
    ),
    (
        "Link must be public",
        "Hello {name},\n\norder {order} cannot be delivered while its link is private or does not open. Please make "
        "it public and tell us here.",
    ),
)

TERMS = """\
These terms are between you and the shop. With an account you accept them.

# What we sell
Each service says what is delivered, in which quantity, and at what price. Times that are shown were measured on \
earlier orders; they are no promise.

# Payment
You pay from your wallet when you place an order. Prices are those on the page at that moment, and nothing is added at \
the end.

# What comes back
- An order that cannot be delivered is paid back in full.
- Of an order that is delivered in part, the rest is paid back.
- What is paid back goes to your wallet.

# Your part
- Give links that are public and yours to use.
- Do not place a second order for a link while the first one is under way.
- Keep your password and your API keys to yourself: whoever has them buys from your wallet.

# Refills and canceling
Whether a service can be refilled or canceled is written beside it. Ask on the order's page.

# Changes
When these terms change, it is said on the page of updates before the change counts.
"""

FAQ = """\
# How do I place an order?
Choose a service, give the link and the quantity, and order. The price is shown while you type.

# When does it start?
Most services show how long earlier orders took to start and to finish. An order's page follows the delivery by itself.

# What do the statuses mean?
- Pending: paid, and lined up for delivery.
- Processing and In progress: the delivery has begun.
- Completed: everything was delivered.
- Partial: a part was delivered, and the rest was paid back.
- Canceled: nothing was delivered, and everything was paid back.

# Something dropped after the delivery. What now?
If the service has a refill, ask for it on the order's page.

# My link was wrong. Can I change it?
No. If the service can be canceled, cancel on the order's page; otherwise open a ticket.

# Can a program order for me?
Yes. Make an API key in your account; the API page says how to call it.
"""

#: Slug, title and text of each page.
PAGES = (("terms", "Terms", TERMS), ("faq", "Questions", FAQ))
