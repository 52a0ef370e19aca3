import django.db.models.deletion
import django.utils.timezone
import orders.db.money_fields
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('orders', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='SandboxOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('link', models.CharField(blank=True, max_length=2048, verbose_name='link')),
                ('quantity', models.PositiveBigIntegerField(verbose_name='quantity')),
                ('fields', models.JSONField(blank=True, default=dict, verbose_name='inputs')),
                ('runs', models.PositiveIntegerField(default=1, verbose_name='runs')),
                ('interval', models.PositiveIntegerField(default=0, verbose_name='minutes between runs')),
                ('charge', orders.db.money_fields.MoneyField(help_text='Paid with play money.', verbose_name='charge')),
                ('refund', orders.db.money_fields.MoneyField(default=Decimal('0'), verbose_name='refund at the end')),
                ('request_id', models.CharField(blank=True, max_length=128, null=True, verbose_name='request ID')),
                ('fingerprint', models.BigIntegerField(editable=False, verbose_name='fingerprint')),
                ('link_lock', models.BigIntegerField(blank=True, editable=False, null=True, verbose_name='link lock')),
                ('requested_start_at', models.DateTimeField(blank=True, help_text="When the customer wants the order to start.", null=True, verbose_name='starts at')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='ordered at')),
                ('started_at', models.DateTimeField(verbose_name='in progress since')),
                ('delivered_at', models.DateTimeField(verbose_name='delivered until')),
                ('ends_at', models.DateTimeField(blank=True, help_text='Empty if the order stays in progress until it is canceled.', null=True, verbose_name='ends at')),
                ('final_status', models.CharField(choices=[('queued', 'Queued'), ('submitting', 'Submitting'), ('in_doubt', 'Outcome unknown'), ('pending', 'Pending'), ('processing', 'Processing'), ('in_progress', 'In progress'), ('completed', 'Completed'), ('partial', 'Partial'), ('canceled', 'Canceled'), ('failed', 'Failed')], max_length=12, verbose_name='final status')),
                ('final_remains', models.PositiveBigIntegerField(verbose_name='not delivered at the end')),
                ('cancel_requested_at', models.DateTimeField(blank=True, null=True, verbose_name='cancellation requested at')),
                ('key', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='sandbox_orders', to='accounts.apikey', verbose_name='API key')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orders.service', verbose_name='service')),
            ],
            options={
                'verbose_name': 'sandbox order',
                'verbose_name_plural': 'sandbox orders',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SandboxRefill',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_rejected', models.BooleanField(default=False, verbose_name='ends as rejected')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='requested at')),
                ('ends_at', models.DateTimeField(verbose_name='ends at')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='refills', to='sandbox.sandboxorder', verbose_name='order')),
            ],
            options={
                'verbose_name': 'sandbox refill',
                'verbose_name_plural': 'sandbox refills',
                'ordering': ['-id'],
            },
        ),
        migrations.AddIndex(
            model_name='sandboxorder',
            index=models.Index(fields=['key', 'request_id'], name='sandbox_order_request'),
        ),
        migrations.AddIndex(
            model_name='sandboxorder',
            index=models.Index(fields=['key', 'fingerprint'], name='sandbox_order_fingerprint'),
        ),
        migrations.AddIndex(
            model_name='sandboxorder',
            index=models.Index(fields=['created_at'], name='sandbox_order_created'),
        ),
        migrations.AddConstraint(
            model_name='sandboxorder',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='sandbox_order_quantity_positive'),
        ),
        migrations.AddConstraint(
            model_name='sandboxorder',
            constraint=models.CheckConstraint(condition=models.Q(('refund__gte', 0), ('refund__lte', models.F('charge'))), name='sandbox_order_refund_within_charge'),
        ),
    ]
