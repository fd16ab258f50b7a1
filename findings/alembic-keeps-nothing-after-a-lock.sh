#!/bin/sh
# A statement before the migrations in alembic's env.py (Alembic 1.20.1, SQLAlchemy 2.1.9, psycopg 3.3.9; PostgreSQL
# 18.4).
#
# Guess: alembic has no lock of its own, so env.py takes an advisory lock, or sets lock_timeout, on the connection
# that it then passes to alembic; context.begin_transaction() commits what run_migrations() has done.
# Seen: since SQLAlchemy 2 that one statement begins a transaction, and alembic leaves a transaction that it has not
# begun to its owner. `alembic upgrade head` runs each migration, reports it, exits with 0, and all is rolled back
# when the connection is closed, the row in the ledger too. Each deployment repeats it. With connection.commit() after
# the statement, which keeps a session's lock, the same file commits.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --disable-pip-version-check alembic==1.20.1 sqlalchemy==2.1.9 "psycopg[binary]==3.3.9"
install_client
mkdir -p "$work/alembic/versions"
cat >"$work/alembic/env.py" <<'PY'
import os
import sys

from alembic import context
from sqlalchemy import create_engine, text

engine = create_engine(f"postgresql+psycopg://postgres@/postgres?host={os.environ['PGHOST']}")
with engine.connect() as connection:
    if os.environ["BEFORE"]:
        connection.execute(text(os.environ["BEFORE"]))
    if os.environ["THEN"]:
        connection.commit()
    applied = lambda step, **_: print(step.up_revision_id, file=sys.stderr)
    context.configure(connection=connection, on_version_apply=applied)
    with context.begin_transaction():
        context.run_migrations()
PY
printf '%s\n' "[alembic]" "script_location = %(here)s" >"$work/alembic/alembic.ini"
for number in 1 2; do
    printf '%s\n' "from alembic import op" "revision = '$number'" \
        "down_revision = $([ "$number" = 1 ] && echo None || echo "'1'")" \
        "def upgrade(): op.execute('CREATE TABLE t_$number (id int)')" >"$work/alembic/versions/$number.py"
done
cat >"$work/seen.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    const sql = "SELECT count(*) AS tables FROM pg_class WHERE relname IN ('t_1', 't_2', 'alembic_version')";
    console.log((await client.query(sql)).rows[0].tables);
    await client.end();
})();
JS

# upgrade BEFORE THEN: the migrations that are reported as applied, the exit code, and the tables afterwards.
upgrade() {
    code=0
    BEFORE=$1 THEN=$2 timeout 60 "$work/python/bin/alembic" -c "$work/alembic/alembic.ini" upgrade head 2>"$work/applied" || code=$?
    echo "$(xargs <"$work/applied"), $code, $(node "$work/seen.cjs")"
}
lock="SELECT pg_advisory_lock(1)"
what="migrations applied, exit code, tables"
expect "$what, with a lock before them" "1 2, 0, 0" "$(upgrade "$lock" "")"
expect "once more" "1 2, 0, 0" "$(upgrade "$lock" "")"
expect "with SET lock_timeout" "1 2, 0, 0" "$(upgrade "SET lock_timeout = '1s'" "")"
expect "with the lock and a commit" "1 2, 0, 3" "$(upgrade "$lock" commit)"
expect "once more" ", 0, 3" "$(upgrade "$lock" commit)"
as_stated "alembic exits with 0 and has committed nothing"
