import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0002_bonuses'),
    ]

    operations = [
        migrations.CreateModel(
            name='PullLease',
            fields=[
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='pull_lease', serialize=False, to='orders.order')),
                ('until', models.DateTimeField(db_index=True)),
            ],
            options={
                'verbose_name': 'pull lease',
                'verbose_name_plural': 'pull leases',
            },
        ),
    ]
