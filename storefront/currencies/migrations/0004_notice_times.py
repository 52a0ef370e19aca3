from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('currencies', '0003_first_rate_records'),
    ]

    operations = [
        migrations.AddField(
            model_name='currency',
            name='pending_told_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
