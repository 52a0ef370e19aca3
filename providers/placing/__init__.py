"""Placing queued orders at providers.

queue         which orders wait for one provider, in the order in which they go out
window        how many may be on their way at once: few until the first clear answer
claiming      Placement rows, committed before their requests are sent
recording     what the panels answered
offer_pauses  what waits because the panel says nothing clear about it
funds         what waits because the provider's balance cannot pay for it
"""
