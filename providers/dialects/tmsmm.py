"""tmsmm.ru: ids of 13 hex digits, an answer to many statuses that is not JSON. From its document. Declaration only."""

import re

from providers.dialect import VERBS, Dialect


def _braces(text: str) -> str:
    """The document shows many statuses as ``[ "id": {...} ]``: an object in the brackets of a list."""
    match = re.fullmatch(r"\s*\[(\s*\".*)\]\s*", text, re.DOTALL)
    return "{" + match[1] + "}" if match else text


TMSMM = Dialect(
    name="tmsmm",
    title="TmSMM",
    document="tmsmm.ru",
    # The examples show GET; the vendor's own class posts a form, which also keeps the key out of logs.
    method="POST",
    # Its price list has a flag for cancel, its document no such verb. A refill goes by the number of its order.
    verbs=VERBS - {"cancel"},
    kinds=frozenset({"default", "poll", "custom_comments"}),
    # "comments" and "answer_number" go only where they belong; "quantity" always goes.
    counts_lines_itself=False,
    repair=_braces,
)
