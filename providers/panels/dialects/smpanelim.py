"""smpanelim.net: the standard API without cancel, refills one at a time. From its document. Declaration only."""

from providers.panels.dialect import VERBS, DetectionAnswers, Dialect


def _differs(seen: DetectionAnswers) -> str:
    """Return "" if the price list has a flag for refill but none for cancel, and refills are reported one at a time."""
    if any("cancel" in row for row in seen.rows):
        return "its price list has a flag for cancel"
    if seen.unknown_refills.lstrip().startswith("["):
        return "it tells about several refills at once"
    return "" if any("refill" in row for row in seen.rows) else "its price list has no flag for refill"


SMPANELIM = Dialect(
    name="smpanelim",
    title="SMPanelim",
    document="smpanelim.net",
    verbs=VERBS - {"cancel"},
    many=frozenset({"status"}),
    # Its price list shows Custom Comments, its ``add`` no parameter for them: they go in the family's ``comments``, and
    # so does what other types need. ``quantity`` is documented as needed, so it goes along with comments.
    counts_lines_itself=False,
    # Documented for every order with a quantity; its price list has no flag for it.
    runs=frozenset({"default"}),
    assumes_dripfeed=True,
    differs=_differs,
)
