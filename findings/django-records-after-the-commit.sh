#!/bin/sh
# A migration with a foreign key whose record fails (Django 5.2.8, psycopg 3.2.9; PostgreSQL 18.4).
#
# Guess: a migration is atomic, so what it did and its row in django_migrations are committed together, and a process
# that dies in between leaves neither or both.
# Seen: that is so for a migration without foreign keys and indexes. Their statements are deferred to the end of the
# transaction, and if there are any, the row is inserted after its commit. A process or a session that ends there
# leaves the tables and no row, and each later `migrate` fails because the table already exists.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --disable-pip-version-check django==5.2.8 "psycopg[binary]==3.2.9"
mkdir -p "$work/shop/migrations"
: >"$work/shop/__init__.py"
: >"$work/shop/migrations/__init__.py"
cat >"$work/shop/migrations/0001_users.py" <<'PY'
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [migrations.CreateModel("User", [("id", models.BigAutoField(primary_key=True))])]
PY
cat >"$work/shop/migrations/0002_orders.py" <<'PY'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_users")]
    buyer = models.ForeignKey("shop.User", models.CASCADE)
    operations = [migrations.CreateModel("Order", [("id", models.BigAutoField(primary_key=True)), ("buyer", buyer)])]
PY
cat >"$work/run.py" <<'PY'
import os

import django
from django.conf import settings
from django.core.management import call_command
from django.db import Error, connection
from django.db.migrations.recorder import MigrationRecorder

database = {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres", "HOST": os.environ["PGHOST"]}
settings.configure(INSTALLED_APPS=["shop"], DATABASES={"default": database})
django.setup()


def query(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


def migrate(target):
    try:
        call_command("migrate", "shop", target, verbosity=0)
        error = "none"
    except Error as failed:
        error = failed.__cause__.sqlstate
        connection.close()
    tables = "SELECT to_regclass('shop_user') IS NOT NULL, to_regclass('shop_order') IS NOT NULL, count(*) FROM django_migrations"
    print(error, *query(tables)[0])


# The insert of the row ends as it does when the server shuts down at that moment.
query("CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE admin_shutdown; END$$")
MigrationRecorder(connection).ensure_schema()
for target in ["0001", "0002"]:
    query("CREATE TRIGGER stop BEFORE INSERT ON django_migrations FOR EACH ROW EXECUTE FUNCTION stop()")
    migrate(target)
    query("DROP TRIGGER stop ON django_migrations")
    migrate(target)
PY
(cd "$work" && python/bin/python run.py) >"$work/seen"
none="False False 0" users="True False 1" both="True True 1"
expect "error without a foreign key, tables, and rows of the ledger, if the row's insert fails" "57P01 $none" "$(sed -n 1p "$work/seen")"
expect "the same at the next run" "none $users" "$(sed -n 2p "$work/seen")"
expect "the same with a foreign key, if the row's insert fails" "57P01 $both" "$(sed -n 3p "$work/seen")"
expect "the same at the next run" "42P07 $both" "$(sed -n 4p "$work/seen")"
as_stated "a migration with a foreign key is committed before its record"
