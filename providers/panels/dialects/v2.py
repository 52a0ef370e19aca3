"""The standard panel API, as nearly every panel documents it. From smmpllus.com's document. Declaration only."""

from providers.panels.dialect import Dialect

# The document lost its table of ``add`` parameters; they are the standard ones, for every service type.
V2 = Dialect(
    name="v2",
    title="Standard API v2",
    document="smmpllus.com",
    runs=frozenset({"default", "web_traffic"}),
    # Not in this document, but in that of some panels which otherwise keep to it, our own shop among them.
    request_id="request_id",
)
