from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('adminapi', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='staffkey',
            name='has_users_write',
            field=models.BooleanField(default=False, help_text='Creates customers.', verbose_name='add users'),
        ),
    ]
