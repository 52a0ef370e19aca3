"""Placing of queued orders at providers.

submission   claims, sends and records the orders of one provider
queue        the waiting orders of one provider, in the order in which they are placed
routing      the choice of the route for an order
window       how many orders may be under way at once
rate_limits  the provider's limit of calls per minute
claiming     Placement rows, committed before their requests are sent
recording    what the answers of the panels change
waiting      why an order waits, for operators
cost_floor   the price below which a service is not sold
costs        the cost of an order in the store currency

Pauses of providers and offers, and balances that are too low, are in ``providers.transport``.
"""
