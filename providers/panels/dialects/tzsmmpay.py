"""tzsmmpay.com: licenses bought by GET, one at a time, for an email address. From its document. Declaration only."""

from providers.panels.dialect import VERBS, DetectionAnswers, Dialect


def _differs(seen: DetectionAnswers) -> str:
    """Return "" if each row of the price list names its currency."""
    return "" if any("currency" in row for row in seen.rows) else "its price list names no currency"


TZSMMPAY = Dialect(
    name="tzsmmpay",
    title="TZSMM Pay",
    document="tzsmmpay.com",
    encoding="query",
    verbs=VERBS - {"refill", "refill_status", "cancel"},
    # ``add`` takes a service and an e-mail address, nothing else: whatever has a quantity cannot be ordered.
    service_types=frozenset({"package"}),
    batch_size=50,
    link_pattern=r"[^@\s]+@[^@\s]+\.[^@\s]+",
    link_example="name@example.com",
    differs=_differs,
)
