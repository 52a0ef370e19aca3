import django.core.validators
import django.db.models.deletion
import orders.db.money_fields
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ManualMethod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('hint', models.CharField(blank=True, help_text='For example “1 to 2 business days”.', max_length=100, verbose_name='short description')),
                ('instructions', models.TextField(help_text='Plain text. {amount} and {reference} are replaced with those of the payment.', verbose_name='instructions')),
                ('details', models.TextField(blank=True, help_text='One detail per line, such as the account number.', verbose_name='account details')),
                ('minimum', orders.db.money_fields.MoneyField(validators=[django.core.validators.MinValueValidator(Decimal('0'))], verbose_name='minimum amount')),
                ('maximum', orders.db.money_fields.MoneyField(blank=True, help_text='Leave empty for no limit.', null=True, verbose_name='maximum amount')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('position', models.PositiveIntegerField(default=0, verbose_name='position')),
            ],
            options={
                'verbose_name': 'manual payment method',
                'verbose_name_plural': 'manual payment methods',
                'ordering': ['position', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gateway', models.CharField(max_length=32, verbose_name='gateway')),
                ('method', models.CharField(blank=True, max_length=64, verbose_name='method')),
                ('label', models.CharField(max_length=100, verbose_name='payment method')),
                ('amount', orders.db.money_fields.MoneyField(verbose_name='amount')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('status', models.CharField(choices=[('started', 'Started'), ('waiting', 'Waiting'), ('credited', 'Credited'), ('refused', 'Declined'), ('expired', 'Expired')], default='started', max_length=8, verbose_name='status')),
                ('is_in_review', models.BooleanField(default=False, verbose_name='needs review')),
                ('reference', models.CharField(max_length=40, unique=True, verbose_name='reference')),
                ('upstream_id', models.CharField(blank=True, max_length=200, verbose_name='gateway payment ID')),
                ('address', models.CharField(blank=True, max_length=2000, verbose_name='payment page')),
                ('return_to', models.CharField(blank=True, max_length=2000, verbose_name='return address')),
                ('paid_amount', orders.db.money_fields.MoneyField(blank=True, null=True, verbose_name='amount paid')),
                ('paid_currency', models.CharField(blank=True, max_length=12, verbose_name='currency paid')),
                ('note', models.CharField(blank=True, help_text='Visible to the customer.', max_length=500, verbose_name='note')),
                ('remark', models.TextField(blank=True, help_text='Visible to staff only.', verbose_name='internal notes')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='started at')),
                ('credited_at', models.DateTimeField(blank=True, null=True, verbose_name='credited at')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                ('actor', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='payments', to=settings.AUTH_USER_MODEL, verbose_name='customer')),
            ],
            options={
                'verbose_name': 'payment',
                'verbose_name_plural': 'payments',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Proof',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=100, unique=True, verbose_name='file')),
                ('kind', models.CharField(max_length=8, verbose_name='file type')),
                ('size', models.PositiveIntegerField(verbose_name='size in bytes')),
                ('comment', models.CharField(blank=True, max_length=1000, verbose_name='comment')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='sent at')),
                ('payment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proofs', to='payments.payment', verbose_name='payment')),
            ],
            options={
                'verbose_name': 'proof',
                'verbose_name_plural': 'proofs',
                'ordering': ['id'],
            },
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['user', '-id'], name='payment_of_customer'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['-is_in_review', '-id'], name='payment_review_first'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['status', '-id'], name='payment_by_status'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['gateway', 'upstream_id'], name='payment_upstream'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['gateway', 'created_at'], name='payment_open'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='payment_amount_positive'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('credited_at__isnull', False), ('paid_amount__gt', 0), ('status', 'credited')), models.Q(models.Q(('status', 'credited'), _negated=True), ('credited_at__isnull', True)), _connector='OR'), name='payment_credited_with_what_was_paid'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('status__in', ('started', 'waiting'))), models.Q(('ended_at__isnull', False), ('status__in', ('credited', 'refused', 'expired'))), _connector='OR'), name='payment_ended_by_status'),
        ),
    ]
