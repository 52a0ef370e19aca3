from django.db import migrations, models

import orders.fields
import providers.models.provider


class Migration(migrations.Migration):

    dependencies = [
        ('providers', '0004_doubts'),
    ]

    operations = [
        migrations.AddField(
            model_name='placement',
            name='first_charged',
            field=orders.fields.MoneyField(blank=True, help_text='Before the panel changed it, if it did.', null=True, verbose_name='charged there at first'),
        ),
        migrations.AddField(
            model_name='placement',
            name='missed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='without an answer since'),
        ),
        migrations.AddField(
            model_name='provider',
            name='sync_busy_until',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='provider',
            name='sync_paused_until',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='statuses not asked for until'),
        ),
        migrations.AlterField(
            model_name='provider',
            name='dialect',
            field=models.CharField(choices=providers.models.provider.dialect_choices, max_length=32, verbose_name='dialect'),
        ),
        migrations.RemoveIndex(
            model_name='placement',
            name='placement_to_sync',
        ),
        migrations.AddIndex(
            model_name='placement',
            index=models.Index(condition=models.Q(('sync_at__isnull', False)), fields=['provider', 'sync_at', 'id'], name='placement_to_sync'),
        ),
        migrations.AddIndex(
            model_name='placement',
            index=models.Index(condition=models.Q(('state', 'closed')), fields=['provider', '-ended_at'], name='placement_closed'),
        ),
    ]
