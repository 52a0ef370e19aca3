import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='StaffKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='The program that uses the key.', max_length=100, verbose_name='name')),
                ('prefix', models.CharField(editable=False, max_length=8, verbose_name='begins with')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True, verbose_name='hash')),
                ('has_orders_read', models.BooleanField(default=True, verbose_name='read orders')),
                ('has_orders_write', models.BooleanField(default=False, help_text='Cancel and refund orders, change their status and deliver those that are delivered by hand.', verbose_name='change orders')),
                ('has_users_read', models.BooleanField(default=True, help_text='Email addresses, balances and custom rates.', verbose_name='read users')),
                ('has_payments_read', models.BooleanField(default=False, verbose_name='read payments')),
                ('has_payments_write', models.BooleanField(default=False, help_text='Adds money to the balance of any customer.', verbose_name='add payments')),
                ('has_tickets_read', models.BooleanField(default=False, verbose_name='read tickets')),
                ('has_tickets_write', models.BooleanField(default=False, verbose_name='write tickets')),
                ('has_get_writes', models.BooleanField(default=False, help_text='Some older programs need this. The key and the amount may then appear in proxy logs.', verbose_name='add payments by GET')),
                ('addresses', models.TextField(blank=True, help_text='IP addresses or networks, one per line. Leave empty to allow every address.', verbose_name='allowed addresses')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last used at')),
                ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='revoked at')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='staff_keys', to=settings.AUTH_USER_MODEL, verbose_name='created by')),
            ],
            options={
                'verbose_name': 'staff key',
                'verbose_name_plural': 'staff keys',
                'ordering': ['-id'],
            },
        ),
    ]
