"""The table in docs/dialects.md matches the declarations."""

from django.conf import settings

from providers.panels.dialects import matrix


def test_the_table_of_dialects_is_up_to_date() -> None:
    document = (settings.BASE_DIR / "docs" / "dialects.md").read_text()
    assert matrix.fill(document) == document, "run: manage.py dialects"
