from django.db import migrations
from django.db.models import Sum


def forwards(apps, schema_editor):
    """What each customer has spent until now: later on the books keep it with every charge and refund."""
    orders = apps.get_model("orders", "Order").objects
    accounts = apps.get_model("orders", "Account").objects
    paid = orders.order_by().values("user").annotate(charged=Sum("charge"), back=Sum("refunded"))
    for row in paid.iterator():
        accounts.filter(user=row["user"], kind="wallet").update(spent=row["charged"] - row["back"])


class Migration(migrations.Migration):
    dependencies = [("orders", "0005_catalog_stamp")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
