-- What belongs to no schema, comments, and what is not written.
UNION ALL SELECT 'object', '2328/' || w.oid, 'foreign data wrapper', quote_ident(w.fdwname), '',
    concat('CREATE FOREIGN DATA WRAPPER ', quote_ident(w.fdwname), ' HANDLER ' || nullif(w.fdwhandler, 0)::regproc,
        ' VALIDATOR ' || nullif(w.fdwvalidator, 0)::regproc, (SELECT ' OPTIONS (' || string_agg(format('%I %L',
            split_part(p, '=', 1), substr(p, strpos(p, '=') + 1)), ', ' ORDER BY p) || ')' FROM unnest(w.fdwoptions) p), ';'),
    ''
FROM pg_foreign_data_wrapper w
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_foreign_data_wrapper'::regclass AND m.objid = w.oid)

UNION ALL SELECT 'object', '1417/' || s.oid, 'server', quote_ident(s.srvname), '',
    concat('CREATE SERVER ', quote_ident(s.srvname), ' TYPE ' || quote_literal(s.srvtype), ' VERSION ' || quote_literal(s.srvversion),
        ' FOREIGN DATA WRAPPER ', quote_ident(w.fdwname), (SELECT ' OPTIONS (' || string_agg(format('%I %L',
            split_part(p, '=', 1), substr(p, strpos(p, '=') + 1)), ', ' ORDER BY p) || ')' FROM unnest(s.srvoptions) p), ';'),
    ''
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_foreign_server'::regclass AND m.objid = s.oid)

UNION ALL SELECT 'object', '3466/' || e.oid, 'event trigger', quote_ident(e.evtname), '',
    concat('CREATE EVENT TRIGGER ', quote_ident(e.evtname), ' ON ', quote_ident(e.evtevent), (SELECT chr(10) || '    WHEN TAG IN ('
            || string_agg(quote_literal(t), ', ' ORDER BY t) || ')' FROM unnest(e.evttags) t),
        chr(10), '    EXECUTE FUNCTION ', e.evtfoid::regproc, '();', (SELECT chr(10)
            || format('ALTER EVENT TRIGGER %I %s;', e.evtname, w.word)
            FROM (VALUES ('D', 'DISABLE'), ('R', 'ENABLE REPLICA'), ('A', 'ENABLE ALWAYS')) w (code, word)
            WHERE w.code = e.evtenabled::text)), ''
FROM pg_event_trigger e
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_event_trigger'::regclass AND m.objid = e.oid)

-- Columns, filters and schemas of a publication are new in 15. Before, `prqual` is that of the dummy.
UNION ALL SELECT 'object', '6104/' || p.oid, 'publication', quote_ident(p.pubname), '', concat('CREATE PUBLICATION ',
    quote_ident(p.pubname), CASE WHEN p.puballtables THEN ' FOR ALL TABLES' ELSE nullif(' FOR ' || concat_ws(', ',
        (SELECT 'TABLE ' || string_agg(concat('ONLY ', r.shown, ' (' || (SELECT string_agg(quote_ident(a.attname), ', '
                    ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum::text
                    = ANY (regexp_split_to_array(to_jsonb(m) ->> 'prattrs', '[^0-9]+'))) || ')',
                ' WHERE ' || (SELECT pg_get_expr(q.filter, m.prrelid) FROM (SELECT NULL::pg_node_tree AS prqual) dummy,
                    LATERAL (SELECT prqual AS filter FROM pg_publication_rel z WHERE z.oid = m.oid) q)), ', ' ORDER BY r.shown)
            FROM pg_publication_rel m JOIN relation r ON r.oid = m.prrelid WHERE m.prpubid = p.oid),
        (SELECT 'TABLES IN SCHEMA ' || string_agg(quote_ident(n.name), ', ' ORDER BY n.name) FROM pg_depend d,
            LATERAL (SELECT substring(pg_describe_object(d.classid, d.objid, 0) from '^publication of schema (.*) in publication') AS name) n
            WHERE d.classid = to_regclass('pg_publication_namespace') AND d.refclassid = 'pg_publication'::regclass
                AND d.refobjid = p.oid)), ' FOR ') END,
    ' WITH (' || nullif(concat_ws(', ', CASE WHEN NOT (p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate)
        THEN 'publish = ' || quote_literal(concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END,
            CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,
            CASE WHEN p.pubtruncate THEN 'truncate' END)) END,
        CASE WHEN p.pubviaroot THEN 'publish_via_partition_root = true' END,
        CASE WHEN to_jsonb(p) ->> 'pubgencols' = 's' THEN 'publish_generated_columns = stored' END), '') || ')', ';'),
    ''
FROM pg_publication p
WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_publication'::regclass AND m.objid = p.oid)

UNION ALL SELECT 'comment', d.classoid || '/' || d.objoid, '', lpad(d.objsubid::text, 5, '0'), '', format('COMMENT ON %s IS %L;',
    CASE WHEN d.objsubid <> 0 THEN 'COLUMN ' || o.identity
        WHEN o.type = 'domain constraint' THEN format('CONSTRAINT %I ON DOMAIN %s', c.conname, k.shown)
        WHEN o.type IN ('table constraint', 'trigger', 'rule', 'policy') THEN format('%s %I ON %I.%I',
            CASE o.type WHEN 'table constraint' THEN 'CONSTRAINT' ELSE upper(o.type) END, n.object_names[3],
            n.object_names[1], n.object_names[2])
        WHEN o.type = 'statistics object' THEN 'STATISTICS ' || o.identity
        WHEN o.type IN ('function', 'procedure', 'aggregate') THEN upper(o.type) || ' ' || p.shown
        WHEN o.type = 'operator' THEN regexp_replace('OPERATOR ' || o.identity, '[(].*$', '') || format('(%s, %s)',
            coalesce(format_type(nullif(q.oprleft, 0), NULL), 'NONE'), coalesce(format_type(nullif(q.oprright, 0), NULL), 'NONE'))
        ELSE upper(o.type) || ' ' || o.identity END, d.description), ''
FROM pg_description d LEFT JOIN routine p ON d.classoid = 'pg_proc'::regclass AND p.oid = d.objoid
    LEFT JOIN pg_operator q ON d.classoid = 'pg_operator'::regclass AND q.oid = d.objoid
    LEFT JOIN pg_constraint c ON d.classoid = 'pg_constraint'::regclass AND c.oid = d.objoid
    LEFT JOIN kind k ON k.oid = c.contypid, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) o,
    LATERAL pg_identify_object_as_address(d.classoid, d.objoid, d.objsubid) n
WHERE d.classoid <> 'pg_extension'::regclass
    AND (d.objoid >= 16384 OR (d.classoid = 'pg_namespace'::regclass AND d.description <> 'standard public schema'))
    AND NOT EXISTS (SELECT FROM member m WHERE m.classid = d.classoid AND m.objid = d.objoid)

UNION ALL SELECT 'note', '', '', '', '', 'not written: ' || concat_ws(' ', o.type, o.identity), ''
FROM (
    SELECT 'pg_am'::regclass, oid FROM pg_am UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily'::regclass, oid FROM pg_opfamily
    UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion
    UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_parser'::regclass, oid FROM pg_ts_parser
    UNION ALL SELECT 'pg_ts_template'::regclass, oid FROM pg_ts_template
    UNION ALL SELECT 'pg_transform'::regclass, oid FROM pg_transform UNION ALL SELECT 'pg_language'::regclass, oid FROM pg_language
    UNION ALL SELECT 'pg_user_mapping'::regclass, umid FROM pg_user_mappings
    UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator WHERE oprcode::oid = 0
    UNION ALL SELECT 'pg_type'::regclass, c.oid FROM pg_type c WHERE typtype IN ('b', 'p')
        AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = c.oid)
        -- A multirange's array.
        AND typelem = 0
) x (class, oid), LATERAL pg_identify_object(x.class, x.oid, 0) o
WHERE x.oid >= 16384 AND NOT EXISTS (SELECT FROM member m WHERE m.classid = x.class AND m.objid = x.oid)

UNION ALL SELECT 'note', '', '', '', '', format('not written: subscription %I', s.subname), ''
FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()

UNION ALL SELECT 'note', '', '', '', '', format('not written: security label of %s on %s', l.provider,
    pg_describe_object(l.classoid, l.objoid, l.objsubid)), ''
FROM pg_seclabel l

UNION ALL SELECT 'note', '', '', '', '', 'not written: ' || concat_ws(' ', 'setting of the database',
    'for ' || pg_get_userbyid(nullif(s.setrole, 0)), split_part(c.setting, '=', 1)), ''
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) c (setting)
WHERE d.datname = current_database()
