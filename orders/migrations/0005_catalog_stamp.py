from django.db import migrations

from orders import catalog_stamp


def forwards(apps, schema_editor):
    catalog_stamp.install(schema_editor)
    apps.get_model("orders", "CatalogStamp").objects.get_or_create(pk=1, defaults={"stamp": 1})


def backwards(apps, schema_editor):
    catalog_stamp.remove(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_levels_and_repeated_requests")]

    operations = [migrations.RunPython(forwards, backwards)]
