"""The generated part of docs/dialects.md: what each dialect declares, as a table. Pure."""

from __future__ import annotations

from orders.rules.service_types import SERVICE_TYPES
from providers.panels.dialect import ALL_VERBS, METHODS, Dialect
from providers.panels.dialects import DIALECTS

BEGIN, END = "<!-- generated: manage.py dialects -->", "<!-- end of the generated part -->"


def table() -> str:
    """Return a Markdown table with a column for each dialect."""
    dialects = list(DIALECTS.values())
    rows = [
        ("", [f"`{dialect.name}`" for dialect in dialects]),
        ("document", [dialect.document for dialect in dialects]),
        ("request", [f"{METHODS[dialect.encoding]} {dialect.encoding}" for dialect in dialects]),
        ("key", [" and ".join(dialect.auth) for dialect in dialects]),
        *((verb, [_verb(dialect, verb) for dialect in dialects]) for verb in ALL_VERBS),
        ("parameter for one status", [f"`{dialect.status_one}`" for dialect in dialects]),
        ("orders per call", [str(dialect.batch_size) for dialect in dialects]),
        ("repairs broken JSON", ["yes" if dialect.repair else "no" for dialect in dialects]),
        ("link", [dialect.link_example or "any" for dialect in dialects]),
        ("service types", [_service_types(dialect) for dialect in dialects]),
        ("drip-feed", [_wires(dialect.runs) or "split by Vitrine" for dialect in dialects]),
        ("request id", ["if the panel has one" if dialect.request_id else "no" for dialect in dialects]),
    ]
    lines = [f"| {label} | {' | '.join(cells)} |" for label, cells in rows]
    lines.insert(1, "|" + " --- |" * (len(dialects) + 1))
    return "\n".join(lines)


def fill(document: str) -> str:
    """``document`` with its generated part made anew. Raises ValueError if the marks are missing."""
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def _verb(dialect: Dialect, verb: str) -> str:
    if verb not in dialect.verbs:
        return "no"
    return "one or many" if verb in dialect.many else "one" if verb.startswith("refill") else "yes"


def _service_types(dialect: Dialect) -> str:
    if dialect.service_types == frozenset(SERVICE_TYPES):
        return f"all {len(SERVICE_TYPES)}"
    return _wires(dialect.service_types)


def _wires(codes: frozenset[str]) -> str:
    return ", ".join(service_type.wire for service_type in SERVICE_TYPES.values() if service_type.code in codes)
