-- What a database holds besides its rows, as the system catalogs have it (PostgreSQL 13 to 18).
-- Each row is one object: what it is called, the table it belongs to (or nothing), and what it is. Oids
-- and positions of columns are left out, because no down script can restore them; what extensions brought
-- goes by its extension. {ledger} is the ledger as schema.table, whose search_path is empty.
--
-- What a server changes by itself is left out as well. Each column of each catalog was compared before and after
-- ANALYZE, VACUUM (FREEZE, FULL), CLUSTER, REINDEX, REFRESH, TRUNCATE, a restart, CREATE DATABASE ... TEMPLATE, a
-- dump that was restored, and some thirty changes that were undone again (types, columns, options, grants,
-- indexes, constraints, triggers, partitions, tables created again), on 13.23, 15.18, 15.20 and 18.6. Such
-- columns are:
--   read nowhere here: pg_class.relfilenode, relpages, reltuples, relallvisible, relallfrozen, relfrozenxid,
--     reltoastrelid, reltype, relnatts, relhasindex, relhasrules; the tables of TOAST; the entries of dropped
--     columns; all of pg_statistic and pg_statistic_ext_data; the names of the triggers of foreign keys; schemas
--     of temporary tables; oids and xmin everywhere;
--   read in a form that does not change: node trees, as SQL; a list of grants that is null until the first
--     GRANT and spells out the default after the last REVOKE, by acldefault; its order, sorted; the order of
--     options, which a SET to the value they have changes, sorted; attstattarget, -1 before 17 and null since;
--   filtered by name: pg_attribute.attoptions has a `pg_attver` for each column on 15.20, a number that is
--     another whenever the column's table or type is made again. No command can set it.
WITH member AS MATERIALIZED (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), space AS MATERIALIZED (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
    WHERE (oid >= 16384 OR nspname = 'public') AND nspname !~ '^pg_(toast|temp)'
), relation AS MATERIALIZED (
    SELECT c.*, format('%I.%I', s.nspname, c.relname) AS shown,
        CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
            WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'table' END AS word
    FROM pg_class c JOIN space s ON s.oid = c.relnamespace
    WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
        AND s.nspname || '.' || c.relname <> {ledger}
        AND (c.relkind <> 'S' OR NOT EXISTS (
            SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                AND d.deptype = 'i'))
        AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
), routine AS MATERIALIZED (
    SELECT p.*, format('%I.%I(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS shown
    FROM pg_proc p JOIN space s ON s.oid = p.pronamespace
    WHERE p.oid >= 16384
        AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid)
), kind AS MATERIALIZED (
    SELECT t.*, format('%I.%I', s.nspname, t.typname) AS shown
    FROM pg_type t JOIN space s ON s.oid = t.typnamespace
    WHERE t.oid >= 16384 AND t.typtype IN ('b', 'd', 'e', 'r') AND t.typelem = 0
        AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
)
SELECT 'schema ' || quote_ident(nspname), '',
    concat_ws('; ', 'owner ' || pg_get_userbyid(nspowner), (SELECT 'granted ' || string_agg(a::text, ' ' ORDER BY a::text)
        FROM unnest(coalesce(nspacl, acldefault('n', nspowner))) a))
FROM space

UNION ALL SELECT r.word || ' ' || r.shown, '', concat_ws('; ',
    'owner ' || pg_get_userbyid(r.relowner),
    CASE r.relpersistence WHEN 'u' THEN 'unlogged' END,
    'partition by ' || pg_get_partkeydef(r.oid),
    'partition ' || pg_get_expr(r.relpartbound, r.oid),
    (SELECT 'inherits ' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
        FROM pg_inherits i WHERE i.inhrelid = r.oid),
    CASE WHEN r.relrowsecurity THEN 'row security' END,
    CASE WHEN r.relforcerowsecurity THEN 'row security forced' END,
    CASE WHEN r.relreplident NOT IN ('d', 'n') THEN 'replica identity ' || r.relreplident::text END,
    CASE WHEN r.relkind = 'm' AND NOT r.relispopulated THEN 'not populated' END,
    'with ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(r.reloptions) o),
    'tablespace ' || (SELECT t.spcname FROM pg_tablespace t WHERE t.oid = r.reltablespace),
    'access method ' || (SELECT a.amname FROM pg_am a WHERE a.oid = r.relam),
    (SELECT concat_ws(' ', 'server', f.srvname, array_to_string(t.ftoptions, ', '))
        FROM pg_foreign_table t JOIN pg_foreign_server f ON f.oid = t.ftserver WHERE t.ftrelid = r.oid),
    (SELECT concat_ws(' ', s.seqtypid::regtype, 'start', s.seqstart, 'increment', s.seqincrement, 'min', s.seqmin,
            'max', s.seqmax, 'cache', s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END)
        FROM pg_sequence s WHERE s.seqrelid = r.oid),
    (SELECT 'owned by ' || d.refobjid::regclass || '.' || a.attname
        FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE r.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'a'),
    (SELECT 'granted ' || string_agg(a::text, ' ' ORDER BY a::text)
        FROM unnest(coalesce(r.relacl, acldefault((CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", r.relowner))) a
        WHERE r.relkind <> 'c'),
    CASE WHEN r.relkind IN ('v', 'm') THEN 'as ' || pg_get_viewdef(r.oid) END)
FROM relation r

UNION ALL SELECT 'column ' || r.shown || '.' || quote_ident(a.attname), r.word || ' ' || r.shown, concat_ws(' ',
    format_type(a.atttypid, a.atttypmod),
    (SELECT 'collate ' || a.attcollation::regcollation::text FROM pg_type t
        WHERE t.oid = a.atttypid AND a.attcollation <> t.typcollation),
    CASE WHEN a.attnotnull THEN 'not null' END,
    CASE a.attgenerated WHEN '' THEN 'default ' WHEN 's' THEN 'generated, stored, as ' ELSE 'generated as ' END
        || (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
            WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum),
    CASE a.attidentity WHEN 'a' THEN 'generated always as identity' WHEN 'd' THEN 'generated by default as identity' END,
    (SELECT concat_ws(' ', '(start', s.seqstart, 'increment', s.seqincrement, 'min', s.seqmin, 'max', s.seqmax,
            'cache', s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END) || ')'
        FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
            AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype = 'i'),
    (SELECT 'storage ' || a.attstorage::text FROM pg_type t WHERE t.oid = a.atttypid AND t.typstorage <> a.attstorage),
    'compression ' || nullif(to_jsonb(a) ->> 'attcompression', ''),
    'statistics ' || nullif(coalesce(to_jsonb(a) ->> 'attstattarget', '-1'), '-1'),
    'with ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attoptions) o WHERE o !~ '^pg_attver='),
    'options ' || array_to_string(a.attfdwoptions, ', '),
    CASE WHEN NOT a.attislocal THEN 'inherited' END,
    (SELECT 'granted ' || string_agg(g::text, ' ' ORDER BY g::text) FROM unnest(a.attacl) g))
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid
WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind <> 'S'

UNION ALL SELECT 'constraint ' || quote_ident(c.conname) || ' on ' || r.shown, r.word || ' ' || r.shown,
    pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN relation r ON r.oid = c.conrelid WHERE c.contype <> 't'

UNION ALL SELECT 'constraint ' || quote_ident(c.conname) || ' on domain ' || k.shown, 'type ' || k.shown,
    pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN kind k ON k.oid = c.contypid

UNION ALL SELECT 'index ' || format('%I.%I', n.nspname, x.relname), r.word || ' ' || r.shown, concat_ws('; ',
    pg_get_indexdef(i.indexrelid),
    CASE WHEN NOT i.indisvalid THEN 'INVALID' END,
    CASE WHEN i.indisclustered THEN 'clustered on' END,
    CASE WHEN i.indisreplident THEN 'replica identity' END)
FROM pg_index i JOIN relation r ON r.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = x.relnamespace

UNION ALL SELECT 'rule ' || quote_ident(w.rulename) || ' on ' || r.shown, r.word || ' ' || r.shown,
    pg_get_ruledef(w.oid) || CASE WHEN w.ev_enabled <> 'O' THEN ' enabled ' || w.ev_enabled::text ELSE '' END
FROM pg_rewrite w JOIN relation r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'

UNION ALL SELECT 'trigger ' || quote_ident(t.tgname) || ' on ' || r.shown, r.word || ' ' || r.shown,
    pg_get_triggerdef(t.oid) || CASE WHEN t.tgenabled <> 'O' THEN ' enabled ' || t.tgenabled::text ELSE '' END
FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal

UNION ALL SELECT 'policy ' || quote_ident(p.polname) || ' on ' || r.shown, r.word || ' ' || r.shown, concat_ws(' ',
    CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
    CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete'
        ELSE 'all' END,
    'to', (SELECT string_agg(CASE o WHEN 0 THEN 'public' ELSE pg_get_userbyid(o)::text END, ', ' ORDER BY o)
        FROM unnest(p.polroles) o),
    'using ' || pg_get_expr(p.polqual, p.polrelid),
    'with check ' || pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy p JOIN relation r ON r.oid = p.polrelid

UNION ALL SELECT 'statistics ' || format('%I.%I', n.nspname, s.stxname), r.word || ' ' || r.shown,
    pg_get_statisticsobjdef(s.oid)
FROM pg_statistic_ext s JOIN relation r ON r.oid = s.stxrelid JOIN pg_namespace n ON n.oid = s.stxnamespace

UNION ALL SELECT CASE p.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate ' ELSE 'function ' END || p.shown,
    '', concat_ws('; ', 'owner ' || pg_get_userbyid(p.proowner),
    (SELECT 'granted ' || string_agg(a::text, ' ' ORDER BY a::text)
        FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) a),
    CASE WHEN p.prokind <> 'a' THEN 'as ' || pg_get_functiondef(p.oid) END,
    (SELECT concat_ws(' ', 'aggregate', a.aggtransfn::regprocedure, a.aggtranstype::regtype, a.aggfinalfn::regproc,
            a.aggcombinefn::regproc, a.aggsortop::regoperator, a.agginitval)
        FROM pg_aggregate a WHERE a.aggfnoid = p.oid))
FROM routine p

UNION ALL SELECT 'type ' || k.shown, '', concat_ws('; ', 'owner ' || pg_get_userbyid(k.typowner),
    (SELECT 'enum ' || string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
        FROM pg_enum e WHERE e.enumtypid = k.oid),
    CASE WHEN k.typtype = 'd' THEN concat_ws(' ', 'domain', format_type(k.typbasetype, k.typtypmod),
        CASE WHEN k.typnotnull THEN 'not null' END, 'default ' || k.typdefault) END,
    (SELECT concat_ws(' ', 'range', g.rngsubtype::regtype, g.rngcanonical::regproc, g.rngsubdiff::regproc)
        FROM pg_range g WHERE g.rngtypid = k.oid),
    CASE WHEN k.typtype = 'b' THEN concat_ws(' ', 'base', k.typinput::regproc, k.typoutput::regproc, k.typlen) END,
    (SELECT 'granted ' || string_agg(a::text, ' ' ORDER BY a::text)
        FROM unnest(coalesce(k.typacl, acldefault('T', k.typowner))) a))
FROM kind k

UNION ALL SELECT 'extension ' || quote_ident(e.extname), '', 'version ' || e.extversion || ' in ' || n.nspname
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.oid >= 16384

UNION ALL SELECT 'comment on ' || pg_describe_object(d.classoid, d.objoid, d.objsubid), coalesce(r.word || ' ' || r.shown, ''),
    d.description
FROM pg_description d LEFT JOIN relation r ON d.classoid = 'pg_class'::regclass AND r.oid = d.objoid
WHERE (d.objoid >= 16384 OR d.classoid = 'pg_namespace'::regclass AND d.objoid IN (SELECT oid FROM space))
    AND NOT EXISTS (SELECT FROM member m WHERE m.classid = d.classoid AND m.objid = d.objoid)

UNION ALL SELECT concat_ws(' ', 'default privileges of', pg_get_userbyid(d.defaclrole), 'for', d.defaclobjtype,
    'in ' || nullif(d.defaclnamespace, 0)::regnamespace), '',
    (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(d.defaclacl) a)
FROM pg_default_acl d

UNION ALL SELECT o.type || ' ' || o.identity, '', x.definition
FROM (
    SELECT 'pg_cast'::regclass, oid, concat_ws(' ', castcontext, castmethod, castfunc::regprocedure) FROM pg_cast
    UNION ALL SELECT 'pg_operator'::regclass, oid, concat_ws(' ', oprcode::regprocedure, oprcom::regoperator,
        oprnegate::regoperator) FROM pg_operator
    UNION ALL SELECT 'pg_opclass'::regclass, oid, concat_ws(' ', opcdefault, opckeytype::regtype) FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, '' FROM pg_opfamily
    UNION ALL SELECT 'pg_collation'::regclass, oid, concat_ws(' ', collprovider, collcollate, collctype,
        collisdeterministic) FROM pg_collation
    UNION ALL SELECT 'pg_conversion'::regclass, oid, conproc::regproc::text FROM pg_conversion
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, '' FROM pg_ts_config
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictinitoption FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_parser'::regclass, oid, '' FROM pg_ts_parser
    UNION ALL SELECT 'pg_ts_template'::regclass, oid, '' FROM pg_ts_template
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, array_to_string(fdwoptions, ', ')
        FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, concat_ws(' ', srvtype, srvversion,
        array_to_string(srvoptions, ', '), (SELECT string_agg(a::text, ' ' ORDER BY a::text)
            FROM unnest(coalesce(srvacl, acldefault('S', srvowner))) a)) FROM pg_foreign_server
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid, concat_ws(' ', evtevent, evtfoid::regproc, evtenabled,
        array_to_string(evttags, ', ')) FROM pg_event_trigger
    UNION ALL SELECT 'pg_language'::regclass, oid, concat_ws(' ', lanpltrusted,
        (SELECT string_agg(a::text, ' ' ORDER BY a::text)
            FROM unnest(coalesce(lanacl, acldefault('l', lanowner))) a)) FROM pg_language
    UNION ALL SELECT 'pg_publication'::regclass, p.oid, concat_ws(' ', p.puballtables, p.pubinsert, p.pubupdate,
        p.pubdelete, p.pubtruncate, p.pubviaroot, (SELECT string_agg(t.prrelid::regclass::text, ', '
            ORDER BY t.prrelid::regclass::text) FROM pg_publication_rel t WHERE t.prpubid = p.oid))
        FROM pg_publication p
) x (class, oid, definition), LATERAL pg_identify_object(x.class, x.oid, 0) o
WHERE x.oid >= 16384 AND NOT EXISTS (SELECT FROM member m WHERE m.classid = x.class AND m.objid = x.oid)
