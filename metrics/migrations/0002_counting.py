"""What counts new events into live figures, in the transaction and the statement that inserts them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("metrics", "0001_figures"), ("voicepipeline", "0006_review_rosters_api")]

    operations = []
