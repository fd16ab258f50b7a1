#!/bin/sh
# What was set for a column, when its varchar becomes longer (PostgreSQL 18.4; node-postgres 8.23.1).
#
# Guess: varchar(20) to varchar(40) writes one number to the catalog, so what ALTER has set for the column and for what
# belongs to it is kept.
# Seen: no row is rewritten, and yet the column's STORAGE and COMPRESSION are those of the type again, an expression of
# an index and extended statistics that name the column lose the target of SET STATISTICS, the statistics belong to the
# role that migrates, and a foreign key of the column whose triggers were disabled is enforced again. There is no
# notice. The column's own target and n_distinct are kept, and so are the options of the index and the comment of the
# statistics.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_18
install_client
cat >"$work/run.cjs" <<'JS'
const { connect } = require("./client.cjs");

(async () => {
    const client = await connect();
    await client.query(`
        CREATE ROLE analyst;
        GRANT CREATE ON SCHEMA public TO analyst;
        CREATE TABLE countries (code text PRIMARY KEY);
        CREATE TABLE places (name varchar(20), rank int, country varchar(20) REFERENCES countries);
        ALTER TABLE places ALTER name SET STORAGE EXTERNAL, ALTER name SET COMPRESSION pglz;
        ALTER TABLE places ALTER name SET STATISTICS 200, ALTER name SET (n_distinct = 5);
        CREATE INDEX lowered ON places (rank, lower(name)) WITH (fillfactor = 50);
        ALTER INDEX lowered ALTER COLUMN 2 SET STATISTICS 1000;
        CREATE STATISTICS together ON name, rank FROM places;
        COMMENT ON STATISTICS together IS 'of both';
        ALTER STATISTICS together SET STATISTICS 1000;
        ALTER STATISTICS together OWNER TO analyst;
        ALTER TABLE places DISABLE TRIGGER ALL`);
    const show = async () => {
        const { rows } = await client.query(`SELECT pg_relation_filenode('places') AS file,
            concat_ws(' ', c.attstorage, nullif(c.attcompression, ''), c.attstattarget, c.attoptions) AS name,
            concat_ws(' ', i.attstattarget, r.reloptions) AS lowered,
            concat_ws(' ', s.stxstattarget, s.stxowner::regrole, obj_description(s.oid)) AS together,
            (SELECT string_agg(DISTINCT tgenabled::text, '') FROM pg_trigger WHERE tgrelid = c.attrelid) AS triggers
            FROM pg_attribute c, pg_class r, pg_attribute i, pg_statistic_ext s
            WHERE c.attrelid = 'places'::regclass AND c.attname = 'name'
            AND r.oid = 'lowered'::regclass AND i.attrelid = r.oid AND i.attnum = 2 AND stxname = 'together'`);
        const { file, ...settings } = rows[0];
        console.log(Object.values(settings).join(", "));
        return file;
    };
    const before = await show();
    await client.query("ALTER TABLE places ALTER name TYPE varchar(40)");
    await show();
    await client.query("ALTER TABLE places ALTER country TYPE varchar(40)");
    console.log((await show()) === before);
    await client.end();
})();
JS
node "$work/run.cjs" >"$work/seen"
what="storage, compression, target and options of the column, of an index, statistics with owner and comment, foreign key"
expect "$what" "e p 200 {n_distinct=5}, 1000 {fillfactor=50}, 1000 analyst of both, D" "$(sed -n 1p "$work/seen")"
expect "the same once its varchar is longer" "x 200 {n_distinct=5}, {fillfactor=50}, postgres of both, D" "$(sed -n 2p "$work/seen")"
expect "the same once that of the foreign key is longer" "x 200 {n_distinct=5}, {fillfactor=50}, postgres of both, O" "$(sed -n 3p "$work/seen")"
expect "the table has the same file" true "$(sed -n 4p "$work/seen")"
as_stated "a longer varchar resets what was set for the column"
