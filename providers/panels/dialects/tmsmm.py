"""tmsmm.ru: ids of 13 hex digits, an answer to many statuses that is not JSON. From its document. Declaration only."""

import re

from providers.panels.dialect import VERBS, DetectionAnswers, Dialect


def _braces(text: str) -> str:
    """Return valid JSON for a list of statuses, which this panel sends as ``[ "id": {...} ]``."""
    match = re.fullmatch(r"\s*\[(\s*\".*)\]\s*", text, re.DOTALL)
    return "{" + match[1] + "}" if match else text


def _differs(seen: DetectionAnswers) -> str:
    """Return "" if the answers are in such brackets, or have numeric limits and an error as a bare text."""
    is_bare = re.search(r":\s*\"[^\"]*\"\s*[,}\]]", seen.unknown) and "{" not in seen.unknown[1:]
    has_numbers = all(isinstance(row.get("min"), int) for row in seen.rows)
    if _braces(seen.unknown) != seen.unknown or (is_bare and has_numbers):
        return ""
    return "it answers about unknown orders as the standard has it"


TMSMM = Dialect(
    name="tmsmm",
    title="TmSMM",
    document="tmsmm.ru",
    # The examples show GET; the vendor's own class posts a form, which also keeps the key out of logs.
    encoding="form",
    # Its price list has a flag for cancel, its document no such verb. A refill goes by the number of its order.
    verbs=VERBS - {"cancel"},
    # "type: one of Default, Poll or Custom Comments", and no other parameter may be passed.
    service_types=frozenset({"default", "poll", "custom_comments"}),
    # "comments" and "answer_number" go only where they belong; "quantity" always goes.
    counts_lines_itself=False,
    repair=_braces,
    differs=_differs,
)
