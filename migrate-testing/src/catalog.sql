-- What a database holds besides its rows, as the system catalogs have it (PostgreSQL 13 to 18).
-- Each row is one object: what it is called, the table it belongs to (or nothing), and what it is. Oids
-- and positions of columns are left out, because no down script can restore them; what extensions brought
-- goes by its extension. {ledgers} is the ledgers as schema.table, since the search_path is empty; {subscription} is the
-- columns of pg_subscription that the role may read.
--
-- A catalog without a query here of its own is shown as its row, by to_jsonb, so that a column which a new version
-- adds is compared as well. `catalog_columns` in the tests lists each column of each catalog, and how it is compared
-- or why not. Options of user mappings and the connection of a subscription may be secret: only a hash is shown.
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
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)'
), relation AS MATERIALIZED (
    SELECT c.*, format('%I.%I', s.nspname, c.relname) AS shown,
        CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
            WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'table' END AS word
    FROM pg_class c JOIN space s ON s.oid = c.relnamespace
    WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
        AND s.nspname || '.' || c.relname NOT IN ({ledgers})
        AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
), routine AS MATERIALIZED (
    SELECT p.*, format('%I.%I(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS shown
    FROM pg_proc p JOIN space s ON s.oid = p.pronamespace
    WHERE p.oid >= 16384
        AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid)
), kind AS MATERIALIZED (
    SELECT t.*, format('%I.%I', s.nspname, t.typname) AS shown
    FROM pg_type t JOIN space s ON s.oid = t.typnamespace
    WHERE t.oid >= 16384 AND t.typtype IN ('d', 'e', 'r')
        AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
)
SELECT 'schema ' || quote_ident(nspname), '',
    concat_ws('; ', 'owner ' || pg_get_userbyid(nspowner), (SELECT 'granted ' || string_agg(a::text, ' ' ORDER BY a::text)
        FROM unnest(coalesce(nspacl, acldefault('n', nspowner))) a))
FROM space

UNION ALL SELECT 'database', '', concat_ws('; ', 'owner ' || pg_get_userbyid(d.datdba),
    'tablespace ' || (SELECT t.spcname FROM pg_tablespace t WHERE t.oid = d.dattablespace),
    'connections ' || nullif(d.datconnlimit, -1), CASE WHEN d.datistemplate THEN 'a template' END,
    CASE WHEN NOT d.datallowconn THEN 'closed' END,
    (SELECT 'granted ' || string_agg(a::text, ' ' ORDER BY a::text)
        FROM unnest(coalesce(d.datacl, acldefault('d', d.datdba))) a),
    'comment ' || shobj_description(d.oid, 'pg_database'))
FROM pg_database d WHERE d.datname = current_database()

UNION ALL SELECT concat_ws(' ', 'setting of the database', 'for ' || pg_get_userbyid(nullif(s.setrole, 0)), c.setting),
    '', ''
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) c (setting)
WHERE d.datname = current_database()

UNION ALL SELECT r.word || ' ' || r.shown,
    -- The sequence of an identity column.
    coalesce((SELECT o.word || ' ' || o.shown FROM pg_depend d JOIN relation o ON o.oid = d.refobjid
        WHERE r.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'i'), ''),
    concat_ws('; ',
    'owner ' || pg_get_userbyid(r.relowner),
    'of ' || nullif(r.reloftype, 0)::regtype,
    CASE r.relpersistence WHEN 'u' THEN 'unlogged' END,
    'partition by ' || pg_get_partkeydef(r.oid),
    'partition ' || pg_get_expr(r.relpartbound, r.oid),
    (SELECT 'inherits ' || string_agg(concat_ws(' ', i.inhparent::regclass,
            CASE WHEN to_jsonb(i) ->> 'inhdetachpending' = 'true' THEN 'detach pending' END), ', ' ORDER BY i.inhseqno)
        FROM pg_inherits i WHERE i.inhrelid = r.oid),
    CASE WHEN r.relrowsecurity THEN 'row security' END,
    CASE WHEN r.relforcerowsecurity THEN 'row security forced' END,
    CASE WHEN r.relkind IN ('r', 'p', 'm') AND r.relreplident <> 'd' THEN 'replica identity ' || r.relreplident::text END,
    CASE WHEN r.relkind = 'm' AND NOT r.relispopulated THEN 'not populated' END,
    'with ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(r.reloptions) o),
    'toast with ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM pg_class t, unnest(t.reloptions) o
        WHERE t.oid = r.reltoastrelid),
    'tablespace ' || (SELECT t.spcname FROM pg_tablespace t WHERE t.oid = r.reltablespace),
    'access method ' || (SELECT a.amname FROM pg_am a WHERE a.oid = r.relam),
    (SELECT concat_ws(' ', 'server', f.srvname, (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(t.ftoptions) o))
        FROM pg_foreign_table t JOIN pg_foreign_server f ON f.oid = t.ftserver WHERE t.ftrelid = r.oid),
    (SELECT concat_ws(' ', s.seqtypid::regtype, 'start', s.seqstart, 'increment', s.seqincrement, 'min', s.seqmin,
            'max', s.seqmax, 'cache', s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END)
        FROM pg_sequence s WHERE s.seqrelid = r.oid),
    (SELECT 'owned by ' || d.refobjid::regclass || '.' || a.attname
        FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE r.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype IN ('a', 'i')),
    (SELECT 'granted ' || string_agg(a::text, ' ' ORDER BY a::text)
        FROM unnest(coalesce(r.relacl, acldefault((CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", r.relowner))) a
        WHERE r.relkind <> 'c'),
    (SELECT 'type granted ' || string_agg(a::text, ' ' ORDER BY a::text)
        FROM pg_type t, unnest(t.typacl) a WHERE t.oid = r.reltype
            AND NOT (t.typacl @> acldefault('T', t.typowner) AND t.typacl <@ acldefault('T', t.typowner))),
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
    (SELECT 'storage ' || a.attstorage::text FROM pg_type t WHERE t.oid = a.atttypid AND t.typstorage <> a.attstorage),
    'compression ' || nullif(to_jsonb(a) ->> 'attcompression', ''),
    'statistics ' || nullif(coalesce(to_jsonb(a) ->> 'attstattarget', '-1'), '-1'),
    'with ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attoptions) o WHERE o !~ '^pg_attver='),
    'options ' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attfdwoptions) o),
    CASE WHEN NOT a.attislocal THEN 'inherited' END,
    (SELECT 'granted ' || string_agg(g::text, ' ' ORDER BY g::text) FROM unnest(a.attacl) g))
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid
WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind <> 'S'

UNION ALL SELECT 'constraint ' || quote_ident(c.conname) || ' on ' || r.shown, r.word || ' ' || r.shown,
    concat_ws('; ', pg_get_constraintdef(c.oid), CASE WHEN NOT c.conislocal THEN 'inherited' END,
    -- DISABLE TRIGGER ALL disables those of foreign keys as well.
    (SELECT string_agg(DISTINCT format('triggers on %s enabled %s', t.tgrelid::regclass, t.tgenabled), ', ')
        FROM pg_trigger t WHERE t.tgconstraint = c.oid AND t.tgisinternal AND t.tgenabled <> 'O'))
FROM pg_constraint c JOIN relation r ON r.oid = c.conrelid WHERE c.contype <> 't'

UNION ALL SELECT 'constraint ' || quote_ident(c.conname) || ' on domain ' || k.shown, 'type ' || k.shown,
    pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN kind k ON k.oid = c.contypid

UNION ALL SELECT 'index ' || format('%I.%I', n.nspname, x.relname), r.word || ' ' || r.shown, concat_ws('; ',
    pg_get_indexdef(i.indexrelid),
    CASE WHEN NOT i.indisvalid THEN 'INVALID' END,
    CASE WHEN i.indisclustered THEN 'clustered on' END,
    CASE WHEN i.indisreplident THEN 'replica identity' END,
    'tablespace ' || (SELECT t.spcname FROM pg_tablespace t WHERE t.oid = x.reltablespace),
    'attached to ' || (SELECT h.inhparent::regclass FROM pg_inherits h WHERE h.inhrelid = x.oid),
    (SELECT string_agg('statistics of column ' || a.attnum || ' ' || (to_jsonb(a) ->> 'attstattarget'), ', ' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = x.oid AND coalesce(to_jsonb(a) ->> 'attstattarget', '-1') <> '-1'))
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
    concat_ws('; ', pg_get_statisticsobjdef(s.oid), 'owner ' || pg_get_userbyid(s.stxowner),
    'statistics ' || nullif(coalesce(to_jsonb(s) ->> 'stxstattarget', '-1'), '-1'))
FROM pg_statistic_ext s JOIN relation r ON r.oid = s.stxrelid JOIN pg_namespace n ON n.oid = s.stxnamespace

UNION ALL SELECT CASE p.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate ' ELSE 'function ' END || p.shown,
    '', concat_ws('; ', 'owner ' || pg_get_userbyid(p.proowner),
    (SELECT 'granted ' || string_agg(a::text, ' ' ORDER BY a::text)
        FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) a),
    CASE WHEN p.prokind <> 'a' THEN 'as ' || pg_get_functiondef(p.oid) END,
    CASE WHEN p.prokind = 'a' THEN 'parallel ' || p.proparallel::text END,
    (SELECT string_agg(v.key || ' ' || v.value, ', ' ORDER BY v.key) FROM pg_aggregate a, jsonb_each_text(
            to_jsonb(a) - 'aggfnoid' || jsonb_build_object('aggsortop', a.aggsortop::regoperator,
                'aggtranstype', a.aggtranstype::regtype, 'aggmtranstype', a.aggmtranstype::regtype)) v
        WHERE a.aggfnoid = p.oid AND v.value NOT IN ('0', '-')))
FROM routine p

UNION ALL SELECT 'type ' || k.shown, '', concat_ws('; ', 'owner ' || pg_get_userbyid(k.typowner),
    (SELECT 'enum ' || string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
        FROM pg_enum e WHERE e.enumtypid = k.oid),
    CASE WHEN k.typtype = 'd' THEN concat_ws(' ', 'domain', format_type(k.typbasetype, k.typtypmod),
        (SELECT 'collate ' || k.typcollation::regcollation::text FROM pg_type t
            WHERE t.oid = k.typbasetype AND k.typcollation <> t.typcollation),
        CASE WHEN k.typnotnull THEN 'not null' END, 'default ' || k.typdefault) END,
    (SELECT concat_ws(' ', 'range', g.rngsubtype::regtype, g.rngcanonical::regproc, g.rngsubdiff::regproc,
            'collate ' || nullif(g.rngcollation, 0)::regcollation, 'by',
            pg_describe_object('pg_opclass'::regclass, g.rngsubopc, 0),
            'multirange ' || (to_jsonb(g) ->> 'rngmultitypid')::oid::regtype)
        FROM pg_range g WHERE g.rngtypid = k.oid),
    (SELECT 'granted ' || string_agg(a::text, ' ' ORDER BY a::text)
        FROM unnest(coalesce(k.typacl, acldefault('T', k.typowner))) a))
FROM kind k

UNION ALL SELECT 'extension ' || quote_ident(e.extname), '', concat_ws(' ', 'version', e.extversion, 'in', n.nspname,
    'owner', pg_get_userbyid(e.extowner))
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace

UNION ALL SELECT pg_describe_object(d.classid, d.objid, d.objsubid) || ' depends on '
        || pg_describe_object(d.refclassid, d.refobjid, 0), coalesce(r.word || ' ' || r.shown, ''), ''
FROM pg_depend d LEFT JOIN relation r ON d.classid = 'pg_class'::regclass AND r.oid = d.objid
WHERE d.deptype = 'x'

UNION ALL SELECT 'comment on ' || pg_describe_object(d.classoid, d.objoid, d.objsubid), coalesce(r.word || ' ' || r.shown, ''),
    d.description
FROM pg_description d LEFT JOIN relation r ON d.classoid = 'pg_class'::regclass AND r.oid = d.objoid
WHERE (d.objoid >= 16384 OR d.classoid IN ('pg_namespace'::regclass, 'pg_extension'::regclass))
    AND NOT EXISTS (SELECT FROM member m WHERE m.classid = d.classoid AND m.objid = d.objoid)

UNION ALL SELECT 'security label of ' || l.provider || ' on ' || pg_describe_object(l.classoid, l.objoid, l.objsubid),
    coalesce(r.word || ' ' || r.shown, ''), l.label
FROM pg_seclabel l LEFT JOIN relation r ON l.classoid = 'pg_class'::regclass AND r.oid = l.objoid

-- Of what initdb or an extension made, if they differ from those that it granted.
UNION ALL SELECT 'grants on ' || pg_describe_object(b.class, b.oid, b.sub), '', b.granted
FROM (
    SELECT g.class, g.oid, g.sub,
        (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(g.acl) a) AS granted,
        (SELECT string_agg(a::text, ' ' ORDER BY a::text)
            FROM unnest(coalesce(i.initprivs, acldefault(g.kind, g.owner))) a) AS initial
    FROM (
        SELECT 'pg_class'::regclass, oid, 0, relacl, CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, relowner
            FROM pg_class
        UNION ALL SELECT 'pg_class'::regclass, attrelid, attnum, attacl, 'c', 0::oid FROM pg_attribute
        UNION ALL SELECT 'pg_proc'::regclass, oid, 0, proacl, 'f', proowner FROM pg_proc
        UNION ALL SELECT 'pg_type'::regclass, oid, 0, typacl, 'T', typowner FROM pg_type
        UNION ALL SELECT 'pg_language'::regclass, oid, 0, lanacl, 'l', lanowner FROM pg_language
        UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, 0, fdwacl, 'F', fdwowner FROM pg_foreign_data_wrapper
        UNION ALL SELECT 'pg_foreign_server'::regclass, oid, 0, srvacl, 'S', srvowner FROM pg_foreign_server
    ) g (class, oid, sub, acl, kind, owner)
    LEFT JOIN pg_init_privs i ON i.classoid = g.class AND i.objoid = g.oid AND i.objsubid = g.sub
    WHERE g.acl IS DISTINCT FROM i.initprivs AND g.acl IS NOT NULL AND (g.oid < 16384
        OR EXISTS (SELECT FROM member m WHERE m.classid = g.class AND m.objid = g.oid))
) b WHERE b.granted IS DISTINCT FROM b.initial

UNION ALL SELECT concat_ws(' ', 'default privileges of', pg_get_userbyid(d.defaclrole), 'for', d.defaclobjtype,
    'in ' || nullif(d.defaclnamespace, 0)::regnamespace), '',
    (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(d.defaclacl) a)
FROM pg_default_acl d

-- With what a role without the right to read all of it can see.
UNION ALL SELECT 'subscription ' || quote_ident(s.subname), '', (SELECT string_agg(v.key || ' ' || v.value, ', ' ORDER BY v.key)
    FROM jsonb_each_text(to_jsonb(s) - '{oid,subdbid,subname,subskiplsn}'::text[] || jsonb_build_object(
        'subowner', pg_get_userbyid(s.subowner), 'subconninfo', hashtext(to_jsonb(s) ->> 'subconninfo'))) v)
FROM (SELECT {subscription} FROM pg_subscription) s
WHERE s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())

UNION ALL SELECT o.type || ' ' || o.identity, coalesce(p.type || ' ' || p.identity, ''),
    (SELECT string_agg(v.key || ' ' || v.value, ', ' ORDER BY v.key)
        FROM jsonb_each_text(x.attributes - 'oid') v WHERE v.value NOT IN ('0', '-', ''))
FROM (
    SELECT 'pg_am'::regclass, oid, to_jsonb(c) - 'amname', NULL::regclass, NULL::oid FROM pg_am c
    UNION ALL SELECT 'pg_amop'::regclass, oid,
        to_jsonb(c) - '{amopfamily,amoplefttype,amoprighttype,amopstrategy,amopmethod}'::text[] || jsonb_build_object(
            'amopopr', amopopr::regoperator,
            'amopsortfamily', pg_describe_object('pg_opfamily'::regclass, nullif(amopsortfamily, 0), 0)),
        'pg_opfamily'::regclass, amopfamily FROM pg_amop c
    UNION ALL SELECT 'pg_amproc'::regclass, oid,
        to_jsonb(c) - '{amprocfamily,amproclefttype,amprocrighttype,amprocnum}'::text[]
            || jsonb_build_object('amproc', amproc::regprocedure),
        'pg_opfamily'::regclass, amprocfamily FROM pg_amproc c
    UNION ALL SELECT 'pg_cast'::regclass, oid, to_jsonb(c) - '{castsource,casttarget}'::text[]
        || jsonb_build_object('castfunc', castfunc::regprocedure), NULL, NULL FROM pg_cast c
    UNION ALL SELECT 'pg_operator'::regclass, oid,
        to_jsonb(c) - '{oprname,oprnamespace,oprleft,oprright}'::text[] || jsonb_build_object(
            'oprowner', pg_get_userbyid(oprowner), 'oprresult', oprresult::regtype, 'oprcom', oprcom::regoperator,
            'oprnegate', oprnegate::regoperator, 'oprcode', oprcode::regprocedure), NULL, NULL FROM pg_operator c
    UNION ALL SELECT 'pg_opclass'::regclass, oid, to_jsonb(c) - '{opcname,opcnamespace,opcmethod}'::text[]
        || jsonb_build_object('opcowner', pg_get_userbyid(opcowner), 'opcintype', opcintype::regtype,
            'opckeytype', opckeytype::regtype, 'opcfamily', pg_describe_object('pg_opfamily'::regclass, opcfamily, 0)),
        NULL, NULL FROM pg_opclass c
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, to_jsonb(c) - '{opfname,opfnamespace,opfmethod}'::text[]
        || jsonb_build_object('opfowner', pg_get_userbyid(opfowner)), NULL, NULL FROM pg_opfamily c
    -- Base types and shell types; the array of each type comes with it.
    UNION ALL SELECT 'pg_type'::regclass, oid,
        to_jsonb(c) - '{typname,typnamespace,typarray}'::text[] || jsonb_build_object(
            'typowner', pg_get_userbyid(typowner), 'typelem', typelem::regtype, 'typcollation', typcollation::regcollation,
            'typacl', (SELECT string_agg(a::text, ' ' ORDER BY a::text)
                FROM unnest(coalesce(typacl, acldefault('T', typowner))) a)), NULL, NULL
        FROM pg_type c WHERE typtype IN ('b', 'p') AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = c.oid)
    UNION ALL SELECT 'pg_collation'::regclass, oid, to_jsonb(c) - '{collname,collnamespace}'::text[]
        || jsonb_build_object('collowner', pg_get_userbyid(collowner)), NULL, NULL FROM pg_collation c
    UNION ALL SELECT 'pg_conversion'::regclass, oid, to_jsonb(c) - '{conname,connamespace}'::text[]
        || jsonb_build_object('conowner', pg_get_userbyid(conowner)), NULL, NULL FROM pg_conversion c
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, to_jsonb(c) - '{cfgname,cfgnamespace}'::text[]
        || jsonb_build_object('cfgowner', pg_get_userbyid(cfgowner),
            'cfgparser', pg_describe_object('pg_ts_parser'::regclass, cfgparser, 0),
            'mapped', (SELECT string_agg(concat_ws(' ', m.maptokentype, m.mapdict::regdictionary), ', '
                ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = c.oid)),
        NULL, NULL FROM pg_ts_config c
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, to_jsonb(c) - '{dictname,dictnamespace}'::text[]
        || jsonb_build_object('dictowner', pg_get_userbyid(dictowner),
            'dicttemplate', pg_describe_object('pg_ts_template'::regclass, dicttemplate, 0)), NULL, NULL FROM pg_ts_dict c
    UNION ALL SELECT 'pg_ts_parser'::regclass, oid, to_jsonb(c) - '{prsname,prsnamespace}'::text[], NULL, NULL FROM pg_ts_parser c
    UNION ALL SELECT 'pg_ts_template'::regclass, oid, to_jsonb(c) - '{tmplname,tmplnamespace}'::text[], NULL, NULL
        FROM pg_ts_template c
    UNION ALL SELECT 'pg_transform'::regclass, oid, to_jsonb(c) - '{trftype,trflang}'::text[], NULL, NULL FROM pg_transform c
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, to_jsonb(c) - 'fdwname' || jsonb_build_object(
            'fdwowner', pg_get_userbyid(fdwowner), 'fdwhandler', fdwhandler::regproc, 'fdwvalidator', fdwvalidator::regproc,
            'fdwoptions', (SELECT string_agg(p, ', ' ORDER BY p) FROM unnest(fdwoptions) p),
            'fdwacl', (SELECT string_agg(a::text, ' ' ORDER BY a::text)
                FROM unnest(coalesce(fdwacl, acldefault('F', fdwowner))) a)), NULL, NULL FROM pg_foreign_data_wrapper c
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, to_jsonb(c) - 'srvname' || jsonb_build_object(
            'srvowner', pg_get_userbyid(srvowner),
            'srvfdw', (SELECT w.fdwname FROM pg_foreign_data_wrapper w WHERE w.oid = srvfdw),
            'srvoptions', (SELECT string_agg(p, ', ' ORDER BY p) FROM unnest(srvoptions) p),
            'srvacl', (SELECT string_agg(a::text, ' ' ORDER BY a::text)
                FROM unnest(coalesce(srvacl, acldefault('S', srvowner))) a)), NULL, NULL FROM pg_foreign_server c
    UNION ALL SELECT 'pg_user_mapping'::regclass, umid, jsonb_build_object('umoptions', (SELECT string_agg(concat_ws(' ',
            split_part(p, '=', 1), hashtext(p)), ', ' ORDER BY p) FROM unnest(umoptions) p)), NULL, NULL FROM pg_user_mappings c
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid, to_jsonb(c) - 'evtname' || jsonb_build_object(
            'evtowner', pg_get_userbyid(evtowner), 'evtfoid', evtfoid::regproc), NULL, NULL FROM pg_event_trigger c
    UNION ALL SELECT 'pg_language'::regclass, oid, to_jsonb(c) - 'lanname' || jsonb_build_object(
            'lanowner', pg_get_userbyid(lanowner), 'lanplcallfoid', lanplcallfoid::regproc, 'laninline', laninline::regproc,
            'lanvalidator', lanvalidator::regproc, 'lanacl', (SELECT string_agg(a::text, ' ' ORDER BY a::text)
                FROM unnest(coalesce(lanacl, acldefault('l', lanowner))) a)), NULL, NULL FROM pg_language c
    UNION ALL SELECT 'pg_publication'::regclass, oid, to_jsonb(c) - 'pubname'
        || jsonb_build_object('pubowner', pg_get_userbyid(pubowner)), NULL, NULL FROM pg_publication c
    -- Before 15 a table has neither columns nor a filter. There `prqual` is that of the dummy.
    UNION ALL SELECT 'pg_publication_rel'::regclass, c.oid,
        to_jsonb(c) - '{prpubid,prrelid}'::text[] || jsonb_build_object(
            'prattrs', (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) FROM pg_attribute a
                WHERE a.attrelid = c.prrelid
                    AND a.attnum::text = ANY (regexp_split_to_array(to_jsonb(c) ->> 'prattrs', '[^0-9]+'))),
            'prqual', (SELECT pg_get_expr(q.filter, c.prrelid) FROM (SELECT NULL::pg_node_tree AS prqual) dummy,
                LATERAL (SELECT prqual AS filter FROM pg_publication_rel r WHERE r.oid = c.oid) q)),
        'pg_publication'::regclass, c.prpubid FROM pg_publication_rel c
    -- pg_publication_namespace is new in 15.
    UNION ALL SELECT d.classid, d.objid, '{}', 'pg_publication'::regclass, d.refobjid FROM pg_depend d
        WHERE d.classid = to_regclass('pg_publication_namespace') AND d.refclassid = 'pg_publication'::regclass
) x (class, oid, attributes, parent_class, parent), LATERAL pg_identify_object(x.class, x.oid, 0) o,
    LATERAL pg_identify_object(x.parent_class, x.parent, 0) p
WHERE x.oid >= 16384 AND NOT EXISTS (SELECT FROM member m WHERE m.classid = x.class AND m.objid = x.oid)
