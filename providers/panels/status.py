"""Read reports about orders: the answers to ``status`` of one order and of many. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from orders.rules.state_machine import Progress, Status
from providers.errors import Refused, UnreadableAnswer
from providers.http.messages import Answer
from providers.panels.bodies import parse_or_text, scalar, shorten
from providers.panels.currencies import read_currency
from providers.panels.dialect import Dialect
from providers.panels.envelopes import (
    Texts,
    find_texts,
    flag_of,
    has_report_fields,
    layers,
    raise_unless_success,
    reason_in_read,
)
from providers.panels.error_texts import ACCOUNT_REASONS, is_fault, is_foreign, normalize, rejection_reason
from providers.panels.numbers import read_amount, read_whole

#: The meaning of status words, compared normalized and without blanks, "order", "is" and "has been".
_WORDS: Mapping[Status, str] = {
    # "paused" is a paused subscription; pending is the earliest status of a tracked order, so nothing changes.
    Status.PENDING: """
        pending awaiting queued queue inqueue new waiting created accepted onhold hold notstarted scheduled received
        paused
        ожидание ожидает вожидании новый вочереди принят создан beklemede bekliyor sirada siradabekliyor alindi
        قيدالانتظار معلق فيالانتظار pendente pendiente aguardando enespera menunggu tertunda लंबित
        """,
    Status.PROCESSING: """
        processing inprocessing processed обработка вобработке обрабатывается isleniyor islemde islemealindi
        قيدالمعالجه جاريالمعالجه processando procesando enproceso emprocessamento diproses
        """,
    Status.IN_PROGRESS: """
        inprogress progress active running refilling started working ongoing inprocess inwork
        вработе впроцессе выполняется впроцессевыполнения активен активный запущен
        devamediyor yukleniyor gonderiliyor yapiliyor basladi aktif قيدالتنفيذ جاريالتنفيذ نشط
        emandamento emprogresso enprogreso encurso berjalan sedangberjalan प्रगतिपर प्रगतिमें
        """,
    Status.COMPLETED: """
        completed complete success successful done finished delivered
        выполнен выполнено завершен завершено готово tamamlandi tamamlanmis bitti مكتمل مكتمله اكتمل
        concluido completo completado completada finalizado entregue selesai sukses पूर्ण पूरा
        """,
    Status.PARTIAL: """
        partial partially partiallycompleted partialcompleted partialcomplete expired
        частично частичновыполнен частичновыполнено kismi kismen kismentamamlandi جزئي مكتملجزئيا
        parcial parcialmente parcialmenteconcluido parcialmentecompletado sebagian आंशिक
        """,
    Status.CANCELED: """
        canceled cancelled canelled cancel cancelado cancelada refunded refund refunds
        отменен отменено отмена возврат возвращен iptal iptaledildi iadeedildi iade ملغي تمالالغاء الغي مسترد
        reembolsado dibatalkan batal रद्द
        """,
    Status.FAILED: """
        failed fail error rejected ошибка hata hatali basarisiz reddedildi فشل مرفوض falhou fallido erro gagal
        """,
}
STATUS_WORDS: Mapping[str, Status] = {
    normalize(word): status for status, text in _WORDS.items() for word in text.split()
}
_STATUS_NAMES = ("status", "order_status", "orderstatus", "status_name", "status_text", "state")
#: A row with only these fields and a known status has no error; a fast path.
_ORDINARY_FIELDS = frozenset({"status", "charge", "start_count", "remains", "currency", "order", "id", "order_id"})
_ID_NAMES = ("order", "order_id", "id")
#: Words that are ignored in a status: "Order has been canceled".
_FILLERS = frozenset(
    {"order", "orders", "your", "the", "status", "is", "was", "has", "have", "been", "now", "заказ", "siparis"}
)
#: "Canceled (refunded)", "In progress [50%]".
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_BLANKS = re.compile(r"[\s_-]+")
#: A status with more words than this is an error text, not an unknown status.
_MAX_STATUS_WORDS = 4


def read_status(answer: Answer, dialect: Dialect, ids: list[str]) -> dict[str, Progress | str]:
    """Return by order id a Progress or the panel's error text. Ids that the panel left out are left out.

    Errors are looked for first. A report has a status and, if that is a word of envelopes ("success", "error"), another
    field of a report. An answer with an HTTP status other than 2xx never contains a report.

    Raises:
        Refused: the panel refuses to answer at all; "key", "funds" and "busy" concern our account there.
        UnreadableAnswer: the answer says nothing about these orders.
    """
    if answer.status == 429:
        raise Refused(f"HTTP 429: {shorten(answer.text)}", reason="busy")
    body = parse_or_text(answer, dialect)
    if error := _order_error(answer, body, ids):
        return {ids[0]: error}
    raise_unless_success(answer)
    for layer in layers(body):
        if reports := _reports(layer, dialect, ids):
            return reports
    if len(ids) == 1 and (report := _only_report(body, dialect, ids[0])):
        return {ids[0]: report}
    if _is_nothing(body):
        return {}
    raise UnreadableAnswer(f"nothing about these orders in: {shorten(answer.text)}")


def status_of(word: str, dialect: Dialect) -> Status | None:
    """Return the meaning of a panel's status word, or None if it is unknown."""
    own = dialect.statuses.get(_BLANKS.sub("", word.lower())) if dialect.statuses else None
    return own or _standard_status(word)


# ------------------------------------------------------------------------------------------------ errors


def _order_error(answer: Answer, body: Any, ids: list[str]) -> str:
    """Return the panel's error about the one order that was asked for, "" for none; raise what concerns all of them."""
    is_about_ours = isinstance(body, dict) and any(asked in body for asked in ids)
    texts = find_texts(body, answer.status)
    words = texts.error or ("" if is_about_ours else _error_in_note(body, texts) or _error_in_status(body))
    if not words and answer.status == 401:
        words = "HTTP 401"
    if not words:
        return ""
    if answer.status >= 500:
        raise UnreadableAnswer(f"HTTP {answer.status}: {words}")
    reason = reason_in_read(words, answer.status)
    is_about_order = is_foreign(words) or (answer.status < 400 and reason == "other" and not is_fault(words))
    if len(ids) == 1 and is_about_order:
        return words
    raise Refused(words, reason=reason)


def _error_in_note(body: Any, texts: Texts) -> str:
    """Return the text in a body that declares no error and is one nevertheless: ``{"message": "Invalid API key"}``."""
    note = texts.note
    if not note or any(isinstance(layer, dict) and has_report_fields(layer) for layer in layers(body)):
        return ""
    return note if _is_error_text(note) else ""


def _error_in_status(body: Any) -> str:
    """Return what stands under ``status`` where that is an error: ``{"status": "Invalid API key"}``."""
    word = body.get("status") if isinstance(body, dict) else None
    is_error = isinstance(word, str) and _standard_status(word) is None and _is_error_text(word)
    return shorten(word) if word and is_error else ""


def _is_error_text(text: str) -> bool:
    return is_foreign(text) or is_fault(text) or rejection_reason(text) in ACCOUNT_REASONS


def _row_error(row: Mapping[str, Any]) -> str:
    """Return the error text in one row, "" for a row that carries none."""
    error = row.get("error")
    if isinstance(error, str) and len(row) == 1 and error.strip():
        return shorten(error)
    return find_texts(row).error


# ------------------------------------------------------------------------------------------------ reports


def _reports(layer: Any, dialect: Dialect, ids: list[str]) -> dict[str, Progress | str]:
    """Return what ``layer``, an object keyed by id or a list of rows that name theirs, says about ``ids``."""
    if isinstance(layer, dict):
        if not any(asked in layer for asked in ids):
            layer = {str(name).strip(): row for name, row in layer.items()}
        rows = {asked: layer[asked] for asked in ids if asked in layer}
    else:
        named = {_id_in(row): row for row in layer if isinstance(row, dict)}
        rows = {asked: named[asked] for asked in ids if asked in named}
    found = {asked: _report(row, dialect) for asked, row in rows.items()}
    return {asked: report for asked, report in found.items() if report}


def _only_report(body: Any, dialect: Dialect, asked: str) -> Progress | str | None:
    """Return the report in ``body`` that names no order, or the one that was asked for; None if there are several."""
    rows = []
    for layer in layers(body):
        if isinstance(layer, dict) and _is_report(layer) and _is_about(layer, asked):
            rows.append(layer)
    # An outer status ("Completed" for a call that worked) has nothing beside it; the report has.
    rows = [row for row in rows if has_report_fields(row)] or rows
    words = {_standard_status(_status_word(row)) for row in rows}
    return _report(rows[0], dialect) if rows and len(words) == 1 else None


def _report(row: Any, dialect: Dialect) -> Progress | str | None:
    """Return the report in ``row``, the panel's error text, or None for a row that says nothing."""
    if isinstance(row, str):
        return shorten(row) or None
    if not isinstance(row, dict):
        return None
    word = row.get("status")
    if isinstance(word, str) and _ORDINARY_FIELDS.issuperset(row) and _is_status_word(word):
        return _progress(row, word, dialect)  # nearly always
    if error := _row_error(row):
        return error
    if not _is_report(row):
        inner = next((layer for layer in layers(row)[1:] if isinstance(layer, dict) and _is_report(layer)), None)
        if inner is None:
            return f"no status in: {shorten(str(row))}"[:500] if row else None
        row = inner
    word = _status_word(row)
    is_sentence = len(word.split()) > _MAX_STATUS_WORDS and status_of(word, dialect) is None
    if is_sentence or is_foreign(word):
        return shorten(word)
    return _progress(row, word, dialect)


def _progress(row: Mapping[str, Any], word: str, dialect: Dialect) -> Progress:
    return Progress(
        status=status_of(word, dialect),
        panel_status=word,
        start_count=read_whole(row.get("start_count", row.get("start_counter"))),
        remains=read_whole(_remains(row)),
        charge=read_amount(row.get("charge")),
        currency=read_currency(row.get("currency")),
        posts=read_whole(row.get("posts")),
    )


def _is_report(row: Mapping[str, Any]) -> bool:
    """Return whether ``row`` has the shape of a report about an order, and is not merely an envelope."""
    word = _status_word(row)
    if not word or word.isdigit():  # the meaning of numeric statuses is not documented
        return False
    flag = flag_of(word)
    if flag is None:
        return True
    if not has_report_fields(row):
        return False
    # "success" beside pieces that are left is the call's, not the order's.
    return not flag or read_whole(_remains(row)) == 0


def _status_word(row: Mapping[str, Any]) -> str:
    """Return the word for the order's status, "" if there is none; the envelope's own gives way to any other."""
    first = row.get("status")
    if isinstance(first, str) and flag_of(first) is None:
        return shorten(first)
    for name in _STATUS_NAMES[1:]:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return shorten(value)
    return shorten(first) if isinstance(first, str) else ""


def _remains(row: Mapping[str, Any]) -> Any:
    return row["remains"] if "remains" in row else row.get("remain", row.get("remaining"))


def _is_about(row: Mapping[str, Any], asked: str) -> bool:
    """Whether ``row`` names no order, or the one that was asked for: another's report must not be taken for it."""
    named = [scalar(row.get(name)) for name in ("order", "order_id")]
    return not any(named) or asked in (*named, scalar(row.get("id")))


def _id_in(row: Mapping[str, Any]) -> str:
    return next((found for name in _ID_NAMES if (found := scalar(row.get(name)))), "")


def _is_nothing(body: Any) -> bool:
    """Return whether the panel answered with nothing at all: it left out every order that was asked for."""
    contents = layers(body)
    is_report = any(isinstance(layer, dict) and has_report_fields(layer) for layer in contents)
    return bool(contents) and contents[-1] in ({}, []) and not is_report


@lru_cache(maxsize=4096)
def _is_status_word(word: str) -> bool:
    """Whether ``word`` is the status of an order in any field: one that we know and that no envelope uses."""
    return flag_of(word) is None and _standard_status(word) is not None and shorten(word) == word


@lru_cache(maxsize=4096)
def _standard_status(word: str) -> Status | None:
    words = normalize(_IN_BRACKETS.sub(" ", word)).split()
    plain = "".join(words)
    own = [part for part in words if part not in _FILLERS and not part.isdigit()]
    return STATUS_WORDS.get(plain) or STATUS_WORDS.get("".join(own))
