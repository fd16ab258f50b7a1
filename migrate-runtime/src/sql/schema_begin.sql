-- Reads what a database has besides its rows as statements that make it again (PostgreSQL 13 to 18), for the
-- `search_path` pg_catalog. The files `schema_*.sql` are one statement; `schema.rs` joins them and shows
-- what the columns mean. Columns that not all versions have are read by `to_jsonb`.
--
-- {schemas} is a condition on the name of a schema, {ledgers} the ledgers as schema.table, {tools} the tables in
-- which other tools record what they applied.
WITH member AS MATERIALIZED (
    SELECT classid, objid, refobjid FROM pg_depend WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
), space AS MATERIALIZED (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND ({schemas})
), hidden AS MATERIALIZED (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f') AND (n.nspname || '.' || c.relname IN ({ledgers}) OR c.relname IN ({tools}))
), relation AS MATERIALIZED (
    SELECT c.*, '1259/' || c.oid AS id, format('%I.%I', s.nspname, c.relname) AS shown,
        CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
            WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'table' END AS word
    FROM pg_class c JOIN space s ON s.oid = c.relnamespace
    WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
        AND NOT EXISTS (SELECT FROM hidden h WHERE h.oid = c.oid)
        AND NOT EXISTS (SELECT FROM pg_depend d JOIN hidden h ON h.oid = d.refobjid
            WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i'))
        AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
), routine AS MATERIALIZED (
    SELECT p.*, '1255/' || p.oid AS id,
        format('%I.%I(%s)', s.nspname, p.proname, CASE WHEN p.prokind <> 'a' THEN oidvectortypes(p.proargtypes)
            WHEN p.pronargs = 0 THEN '*' ELSE pg_get_function_identity_arguments(p.oid) END) AS shown,
        CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END AS word
    FROM pg_proc p JOIN space s ON s.oid = p.pronamespace
    WHERE p.oid >= 16384
        AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid)
        -- The constructors of a range come with its type.
        AND NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
), kind AS MATERIALIZED (
    SELECT t.*, '1247/' || t.oid AS id, format('%I.%I', s.nspname, t.typname) AS shown,
        CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END AS word
    FROM pg_type t JOIN space s ON s.oid = t.typnamespace
    WHERE t.oid >= 16384 AND t.typtype IN ('d', 'e', 'r')
        AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
), counter AS MATERIALIZED (
    SELECT s.seqrelid, s.seqtypid, concat(
        CASE WHEN s.seqincrement <> 1 THEN ' INCREMENT BY ' || s.seqincrement END,
        CASE WHEN s.seqmin <> d.low THEN ' MINVALUE ' || s.seqmin END,
        CASE WHEN s.seqmax <> d.high THEN ' MAXVALUE ' || s.seqmax END,
        CASE WHEN s.seqstart <> CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END
            THEN ' START WITH ' || s.seqstart END,
        CASE WHEN s.seqcache <> 1 THEN ' CACHE ' || s.seqcache END,
        CASE WHEN s.seqcycle THEN ' CYCLE' END) AS options
    FROM pg_sequence s, LATERAL (
        SELECT CASE s.seqtypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 ELSE 9223372036854775807 END AS most
    ) m, LATERAL (
        SELECT CASE WHEN s.seqincrement > 0 THEN 1 ELSE - m.most - 1 END AS low,
            CASE WHEN s.seqincrement > 0 THEN m.most ELSE -1 END AS high
    ) d
), owned AS MATERIALIZED (
    SELECT d.objid, d.deptype, d.refobjid, a.attname, a.attnum
    FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
        AND EXISTS (SELECT FROM pg_sequence s WHERE s.seqrelid = d.objid)
)
