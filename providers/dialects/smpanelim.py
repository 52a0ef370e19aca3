"""smpanelim.net: the standard API without cancel. From its document. Declaration only."""

from providers.dialect import Dialect

SMPANELIM = Dialect(
    name="smpanelim",
    title="SMPanelim",
    document="smpanelim.net",
    # ``add`` documents service, link and quantity (and runs, interval): no parameter carries comments or names.
    kinds=frozenset({"default", "package"}),
)
