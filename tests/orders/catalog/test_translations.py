"""Export and import of translations as CSV, with an error for each invalid line."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import ServiceText
from tests import factories

pytestmark = pytest.mark.django_db
HEAD = "number,original name,translated name,translated description\n"


def export(language: str = "ru", **options: Any) -> str:
    out = StringIO()
    call_command("service_texts", "export", language, stdout=out, **options)
    return out.getvalue()


def import_texts(folder: Path, text: str | bytes, language: str = "ru") -> str:
    file, out = folder / "texts.csv", StringIO()
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    call_command("service_texts", "import", language, str(file), stdout=out)
    return out.getvalue()


def import_refused(folder: Path, text: str | bytes) -> tuple[list[str], str]:
    file, out = folder / "texts.csv", StringIO()
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CommandError) as problem:
        call_command("service_texts", "import", "ru", str(file), stdout=out)
    return out.getvalue().splitlines(), str(problem.value)


def texts() -> list[tuple[Any, ...]]:
    return list(ServiceText.objects.order_by("service_id").values_list("service_id", "language", "name", "description"))


def test_importing_an_export_changes_nothing(tmp_path: Path) -> None:
    odd = factories.service(name='=SUM(A1), "quoted"; and more', description="Two\r\nlines")
    factories.translate(odd, name="'=Лампы; «тёплые»", description='Две\r\nстроки, "да"')
    factories.translate(factories.service(name="'quoted'"), name="+7", description="")
    factories.service(name="Nothing yet")
    before, table = texts(), export()
    with CaptureQueriesContext(connection) as caught:
        assert import_texts(tmp_path, table) == "ru: 0 added, 0 changed, 0 removed, 3 unchanged.\n"
    assert [query["sql"] for query in caught if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))] == []
    assert texts() == before
    ServiceText.objects.all().delete()
    assert import_texts(tmp_path, table) == "ru: 2 added, 0 changed, 0 removed, 1 unchanged.\n"
    assert [row[2:] for row in texts()] == [("'=Лампы; «тёплые»", 'Две\nстроки, "да"'), ("+7", "")]


def test_no_exported_cell_is_a_formula() -> None:
    factories.translate(factories.service(name="=1+1", description="@x"), name="-2")
    assert export().splitlines()[1].partition(",")[2] == "'=1+1,'@x,'-2,"


def test_an_import_adds_changes_and_removes_translations(tmp_path: Path) -> None:
    new, changed, gone, left = (factories.service(name=f"Lamps {number}") for number in range(4))
    for service in (changed, gone, left):
        factories.translate(service, name="Лампы", description="Тёплые.")
    rows = f"{new.pk},Lamps 0,Новые,\n{changed.pk},,Лампы,Очень тёплые.\n{gone.pk},Lamps 2,,\n"
    assert import_texts(tmp_path, HEAD + rows) == "ru: 1 added, 1 changed, 1 removed, 0 unchanged.\n"
    assert texts() == [
        (new.pk, "ru", "Новые", ""),
        (changed.pk, "ru", "Лампы", "Очень тёплые."),
        (left.pk, "ru", "Лампы", "Тёплые."),
    ]


def test_an_import_leaves_fields_without_a_column(tmp_path: Path) -> None:
    service = factories.translate(factories.service(), name="Лампы", description="Тёплые.")
    import_texts(tmp_path, f"number;translated name\n{service.pk};Светильники\n")
    assert texts() == [(service.pk, "ru", "Светильники", "Тёплые.")]


def test_byte_order_marks_and_tabs_are_accepted(tmp_path: Path) -> None:
    service = factories.service()
    import_texts(tmp_path, f"\ufeffNumber\tTranslated name\r\n{service.pk}\tЛампы\r\n\r\n")
    assert texts() == [(service.pk, "ru", "Лампы", "")]


def test_every_invalid_line_is_listed_and_nothing_is_imported(tmp_path: Path) -> None:
    good, other = factories.service(name="Lamps"), factories.service(name="Chairs")
    rows = [
        f"{good.pk},Lamps,Лампы,",
        f"{good.pk},Lamps,Лампы,",
        "x,,Лампы,",
        "999999,,Лампы,",
        f"{other.pk},Lamps,Лампы,",
        f"{other.pk},,{'я' * 256},",
        f'{other.pk},,"Сту\nлья",',
        f"{other.pk},Стулья",
        f'{other.pk},,"Стулья,',
    ]
    lines, problem = import_refused(tmp_path, HEAD + "\n".join(rows))
    assert lines == [
        f"Line 3: service {good.pk} is already in line 2",
        "Line 4: “x” is not a service ID",
        "Line 5: service 999999 does not exist",
        f"Line 6: service {other.pk} is named “Chairs”, not “Lamps”",
        "Line 7: the translated name has 256 characters; the maximum is 255",
        "Line 8: the translated name contains a line break",
        "Line 10: it has 2 cells, but the header has 4",
        "Line 11: a quotation mark is not closed, or a cell is too long",
    ]
    assert problem == "Invalid lines: 8. Nothing was changed."
    assert texts() == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "must contain the column names"),
        ("12,Лампы\n", "must contain the column names"),
        ("number,original name\n", "must contain the column names"),
        ("number,translated name\n1,Лампы\n".encode("cp1251"), "not UTF-8"),
    ],
)
def test_a_file_without_the_header_is_rejected(content: str | bytes, said: str, tmp_path: Path) -> None:
    assert said in import_refused(tmp_path, content)[1]


def test_an_unknown_language_is_rejected(tmp_path: Path) -> None:
    for language in ("en", "de"):
        with pytest.raises(CommandError, match="ru, tr, ar"):
            export(language)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("service_texts", "import", "ru", str(tmp_path / "none.csv"))


def test_an_empty_description_needs_no_translation() -> None:
    factories.translate(factories.service(name="Whole"), name="Лампы")
    factories.translate(factories.service(name="Half", description="Warm."), name="Лампы")
    factories.service(name="Nothing")
    names = [row.split(",")[1] for row in export(missing=True).splitlines()[1:]]
    assert names == ["Half", "Nothing"]


def test_export_makes_the_same_queries_for_any_catalog(tmp_path: Path) -> None:
    def queries(count: int) -> int:
        for _ in range(count):
            factories.translate(factories.service(), name="Лампы")
        table = export().replace("Лампы", f"Лампы {count}")
        with CaptureQueriesContext(connection) as caught:
            import_texts(tmp_path, table)
        return len(caught)

    assert queries(3) == queries(30)
