"""smpanelim.net: the standard API without cancel, refills one at a time. From its document. Declaration only."""

from providers.dialect import VERBS, Dialect

SMPANELIM = Dialect(
    name="smpanelim",
    title="SMPanelim",
    document="smpanelim.net",
    verbs=VERBS - {"cancel"},
    many=frozenset({"status"}),
    # ``add`` documents service, link and quantity (and runs, interval): no parameter carries comments or names.
    kinds=frozenset({"default", "package"}),
)
