import storefront.currencies.models
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('currencies', '0004_notice_times'),
    ]

    operations = [
        migrations.AlterField(
            model_name='ratesource',
            name='base',
            field=models.CharField(default='USD', help_text="The currency that the source's rates refer to. It may differ from the store currency if the source has a rate for that as well. The ECB's is always EUR.", max_length=3, validators=[storefront.currencies.models.is_known], verbose_name='base currency'),
        ),
        migrations.AlterField(
            model_name='ratesource',
            name='format',
            field=models.CharField(choices=[('json', 'JSON'), ('ecb', 'ECB daily rates (XML)')], default='json', help_text='The ECB publishes its rates at https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml.', max_length=8, verbose_name='format'),
        ),
        migrations.AlterField(
            model_name='ratesource',
            name='is_active',
            field=models.BooleanField(default=True, help_text='Rates of an inactive source are not fetched and become outdated.', verbose_name='active'),
        ),
        migrations.AlterField(
            model_name='ratesource',
            name='is_inverse',
            field=models.BooleanField(default=False, help_text='For JSON: the source says what one unit of a currency is worth in the base currency.', verbose_name='inverse rates'),
        ),
        migrations.AlterField(
            model_name='ratesource',
            name='name',
            field=models.CharField(help_text='Shown in the back office only.', max_length=60, unique=True, verbose_name='name'),
        ),
        migrations.AlterField(
            model_name='ratesource',
            name='path',
            field=models.CharField(blank=True, default='rates.{currency}', help_text='For JSON: the names that lead to a rate, separated by dots, with {currency} for the currency code. Examples: rates.{currency}, data.{currency}.value, quotes.{base}{currency}.', max_length=200, verbose_name='path of the rate'),
        ),
        migrations.AlterField(
            model_name='ratesource',
            name='url',
            field=models.URLField(help_text='Where the rates are fetched. Write {key} where the URL contains an API key.', max_length=500, verbose_name='URL'),
        ),
    ]
