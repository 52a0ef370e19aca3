"""smpanelim.net: the standard API without cancel, refills one at a time. From its document. Declaration only."""

from providers.dialect import VERBS, Dialect, Seen


def _differs(seen: Seen) -> str:
    """Its price list has a flag for refill and none for cancel."""
    if any("cancel" in row for row in seen.rows):
        return "its price list has a flag for cancel"
    return "" if any("refill" in row for row in seen.rows) else "its price list has no flag for refill"


SMPANELIM = Dialect(
    name="smpanelim",
    title="SMPanelim",
    document="smpanelim.net",
    verbs=VERBS - {"cancel"},
    many=frozenset({"status"}),
    # ``add`` documents service, link and quantity (and runs, interval): no parameter carries comments or names.
    kinds=frozenset({"default", "package"}),
    # Documented for every order with a quantity; its price list has no flag for it.
    runs=frozenset({"default"}),
    has_runs_unsaid=True,
    differs=_differs,
)
