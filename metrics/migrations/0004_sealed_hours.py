"""What keeps events out of hours that are final."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("metrics", "0003_histograms")]

    operations = []
