import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('email', models.EmailField(max_length=254, unique=True, verbose_name='email address')),
                ('name', models.CharField(blank=True, max_length=150, verbose_name='name')),
                ('language', models.CharField(blank=True, help_text="Leave empty to use the browser's language.", max_length=10, verbose_name='language')),
                ('time_zone', models.CharField(blank=True, help_text="Leave empty to use the shop's time zone.", max_length=64, verbose_name='time zone')),
                ('currency', models.CharField(blank=True, help_text="Leave empty to show only the shop's currency.", max_length=3, verbose_name='display currency')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('is_staff', models.BooleanField(default=False, help_text='Can sign in to the back office.', verbose_name='staff')),
                ('email_confirmed_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='email confirmed at')),
                ('has_access_review', models.BooleanField(default=False, editable=False, verbose_name='access review required')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='joined at')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(blank=True, max_length=100, verbose_name='name')),
                ('prefix', models.CharField(max_length=8, verbose_name='prefix')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True, verbose_name='hash')),
                ('has_read_scope', models.BooleanField(default=True, help_text='See services, prices and the balance, and track orders and refills.', verbose_name='read')),
                ('has_order_scope', models.BooleanField(default=True, help_text='Place orders and request refills and cancellations.', verbose_name='place orders')),
                ('has_get_writes', models.BooleanField(default=True, help_text='Some older programs need this. The key may then appear in proxy logs.', verbose_name='allow orders by GET')),
                ('is_sandbox', models.BooleanField(default=False, help_text='For testing: orders are accepted but not delivered or charged.', verbose_name='sandbox')),
                ('addresses', models.TextField(blank=True, help_text='One IP address or network per line, such as 203.0.113.7 or 198.51.100.0/24. Leave empty to allow all.', verbose_name='allowed IP addresses')),
                ('calls_per_minute', models.PositiveIntegerField(blank=True, help_text="Leave empty to use the shop's default limit.", null=True, verbose_name='requests per minute')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('last_used_at', models.DateTimeField(blank=True, null=True, verbose_name='last used at')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='revoked at')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_keys', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'API key',
                'verbose_name_plural': 'API keys',
                'ordering': ['-id'],
            },
        ),
    ]
