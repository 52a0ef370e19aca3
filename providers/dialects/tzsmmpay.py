"""tzsmmpay.com: licences bought by GET, one at a time, for an e-mail address. From its document. Declaration only."""

from providers.dialect import VERBS, Dialect

TZSMMPAY = Dialect(
    name="tzsmmpay",
    title="TZSMM Pay",
    document="tzsmmpay.com",
    method="GET",
    encoding="query",
    verbs=VERBS - {"refill", "refill_status", "cancel"},
    kinds=frozenset({"package"}),
    batch_size=50,
    link_pattern=r"[^@\s]+@[^@\s]+\.[^@\s]+",
    link_example="name@example.com",
)
