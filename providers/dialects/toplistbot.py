"""toplistbot.com: JSON bodies, a token, no status of a single order. From its document. Declaration only."""

from providers.dialect import VERBS, Dialect

TOPLISTBOT = Dialect(
    name="toplistbot",
    title="TopListBot",
    document="toplistbot.com",
    encoding="json",
    # The document asks for a token and does not say where: both usual places carry it.
    auth=("bearer", "key"),
    verbs=VERBS - {"refill", "refill_status"},
    kinds=frozenset({"default"}),
    # Ids that the panel does not know are left out of an answer, and one order is asked for as a list of one.
    status_one="orders",
    batch_size=50,
)
