"""toplistbot.com: JSON bodies, a token, no status of a single order. From its document. Declaration only."""

from providers.panels.dialect import VERBS, DetectionAnswers, Dialect

_NO_SUCH_ORDER = ("incorrect", "not found", "invalid order", "not exist", "no such", "unknown order", "wrong order")


def _differs(seen: DetectionAnswers) -> str:
    """Return "" if all services have one type and no refills, and statuses are requested by list only."""
    if any(str(row.get("type", "Default")).lower() != "default" for row in seen.rows):
        return "its price list has other types than Default"
    if any(row.get("refill") for row in seen.rows):
        return "its price list has services with refill"
    if any(isinstance(row.get("rate"), str) for row in seen.rows):
        return "its price list has rates as texts"
    text = seen.unknown_one.lower()
    if "order" in text and any(words in text for words in _NO_SUCH_ORDER):
        return "it knows the status of a single order"
    return ""


TOPLISTBOT = Dialect(
    name="toplistbot",
    title="TopListBot",
    document="toplistbot.com",
    encoding="json",
    # The document asks for a token and does not say where: both usual places carry it.
    auth=("bearer", "key"),
    verbs=VERBS - {"refill", "refill_status"},
    # Ids that the panel does not know are left out of an answer, and one order is asked for as a list of one.
    status_one="orders",
    batch_size=50,
    differs=_differs,
)
