"""Placing queued orders at providers.

queue         which orders wait for one provider, in the order in which they go out
window        how many may be on their way at once: few until the first clear answer
claiming      Placement rows, committed before their requests are sent
recording     what the panels answered
waiting       why an order waits, in words for an operator

What makes orders wait for a provider is in ``providers.transport``: its pauses, offers that it says nothing clear
about, and a balance that is too low.
"""
