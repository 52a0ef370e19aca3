import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Brand',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('accent', models.CharField(blank=True, help_text='The color of buttons and links. Its lightness is adjusted so that text stays readable.', max_length=7, validators=[django.core.validators.RegexValidator('^#[0-9a-fA-F]{6}\\Z', 'Enter the color as # and six hexadecimal digits, such as #0b6b78.')], verbose_name='accent color')),
                ('logo', models.BinaryField(blank=True, default=b'', verbose_name='logo')),
                ('logo_type', models.CharField(blank=True, editable=False, max_length=16)),
                ('changed_at', models.DateTimeField(auto_now=True, verbose_name='changed at')),
            ],
            options={
                'verbose_name': 'branding',
                'verbose_name_plural': 'branding',
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='brand_is_one')],
            },
        ),
    ]
