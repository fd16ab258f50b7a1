-- Schemas, extensions, collations, types and sequences.
SELECT 'object' AS tag, '2615/' || s.oid AS id, 'schema' AS kind, quote_ident(s.nspname) AS name, '' AS parent,
    -- `public` is there before, and has a block only for its comment and its privileges.
    CASE WHEN s.oid >= 16384 THEN format('CREATE SCHEMA %I;', s.nspname) ELSE '' END AS body, '' AS statement
FROM space s WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_namespace'::regclass AND m.objid = s.oid)

UNION ALL SELECT 'object', '3079/' || e.oid, 'extension', quote_ident(e.extname), '',
    concat('CREATE EXTENSION ', quote_ident(e.extname), (SELECT ' WITH SCHEMA ' || quote_ident(n.nspname)
        FROM pg_namespace n WHERE n.oid = e.extnamespace AND n.nspname <> 'pg_catalog'
            AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_namespace'::regclass AND m.objid = n.oid)), ';'), ''
FROM pg_extension e WHERE e.extname <> 'plpgsql'

UNION ALL SELECT 'object', '3456/' || c.oid, 'collation', format('%I.%I', s.nspname, c.collname), '',
    format('CREATE COLLATION %I.%I (%s);', s.nspname, c.collname, concat_ws(', ',
        'provider = ' || CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
        CASE WHEN NOT c.collisdeterministic THEN 'deterministic = false' END,
        CASE WHEN c.collprovider IN ('i', 'b') THEN 'locale = ' || quote_literal(coalesce(j.of ->> 'colllocale',
            j.of ->> 'colliculocale', j.of ->> 'collcollate')) END,
        CASE WHEN c.collprovider NOT IN ('i', 'b') THEN 'lc_collate = ' || quote_literal(j.of ->> 'collcollate') END,
        CASE WHEN c.collprovider NOT IN ('i', 'b') THEN 'lc_ctype = ' || quote_literal(j.of ->> 'collctype') END,
        'rules = ' || quote_literal(j.of ->> 'collicurules'))),
    ''
FROM pg_collation c JOIN space s ON s.oid = c.collnamespace, LATERAL (SELECT to_jsonb(c) AS of) j
WHERE c.oid >= 16384 AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_collation'::regclass AND m.objid = c.oid)

UNION ALL SELECT 'object', k.id, 'type', k.shown, '', format('CREATE TYPE %s AS ENUM (%s);', k.shown,
    (SELECT string_agg(chr(10) || '    ' || quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder) || chr(10)
        FROM pg_enum e WHERE e.enumtypid = k.oid)), ''
FROM kind k WHERE k.typtype = 'e'

UNION ALL SELECT 'object', k.id, 'type', k.shown, '',
    format('CREATE TYPE %s AS RANGE (%s);', k.shown, concat_ws(', ',
        'subtype = ' || format_type(r.rngsubtype, NULL),
        (SELECT 'subtype_opclass = ' || format('%I.%I', n.nspname, c.opcname)
            FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace
            WHERE c.oid = r.rngsubopc AND NOT c.opcdefault),
        (SELECT 'collation = ' || r.rngcollation::regcollation FROM pg_type t
            WHERE t.oid = r.rngsubtype AND r.rngcollation <> t.typcollation),
        'canonical = ' || nullif(r.rngcanonical::oid, 0)::regproc,
        'subtype_diff = ' || nullif(r.rngsubdiff::oid, 0)::regproc,
        (SELECT 'multirange_type_name = ' || format('%I.%I', n.nspname, t.typname)
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
            WHERE t.oid::text = to_jsonb(r) ->> 'rngmultitypid' AND t.typname <>
                CASE WHEN k.typname ~ 'range' THEN regexp_replace(k.typname, 'range', 'multirange')
                    ELSE k.typname || '_multirange' END))), ''
FROM kind k JOIN pg_range r ON r.rngtypid = k.oid

UNION ALL SELECT 'object', k.id, 'domain', k.shown, '', concat('CREATE DOMAIN ', k.shown, ' AS ',
    format_type(k.typbasetype, k.typtypmod),
    (SELECT ' COLLATE ' || k.typcollation::regcollation FROM pg_type t
        WHERE t.oid = k.typbasetype AND k.typcollation <> t.typcollation),
    ' DEFAULT ' || pg_get_expr(k.typdefaultbin, 'pg_type'::regclass), CASE WHEN k.typnotnull THEN ' NOT NULL' END,
    (SELECT string_agg(format('%s    CONSTRAINT %I %s', chr(10), c.conname, pg_get_constraintdef(c.oid)), ''
        ORDER BY c.conname) FROM pg_constraint c WHERE c.contypid = k.oid AND c.contype = 'c' AND c.convalidated), ';'),
    ''
FROM kind k WHERE k.typtype = 'd'

UNION ALL SELECT 'after', k.id, '', '1 ' || c.conname, '', format('ALTER DOMAIN %s ADD CONSTRAINT %I %s;', k.shown,
    c.conname, pg_get_constraintdef(c.oid)), ''
FROM kind k JOIN pg_constraint c ON c.contypid = k.oid WHERE c.contype = 'c' AND NOT c.convalidated

UNION ALL SELECT 'object', r.id, 'type', r.shown, '', format('CREATE TYPE %s AS (%s);', r.shown,
    (SELECT string_agg(concat(chr(10), '    ', quote_ident(a.attname), ' ', format_type(a.atttypid, a.atttypmod),
            (SELECT ' COLLATE ' || a.attcollation::regcollation FROM pg_type t
                WHERE t.oid = a.atttypid AND a.attcollation <> t.typcollation)), ',' ORDER BY a.attnum) || chr(10)
        FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped)), ''
FROM relation r WHERE r.relkind = 'c'

UNION ALL SELECT 'object', r.id, 'sequence', r.shown, '', concat('CREATE ',
    CASE r.relpersistence WHEN 'u' THEN 'UNLOGGED ' END, 'SEQUENCE ', r.shown,
    ' AS ' || format_type(nullif(c.seqtypid, 'int8'::regtype), NULL), c.options, ';'), ''
FROM relation r JOIN counter c ON c.seqrelid = r.oid
WHERE NOT EXISTS (SELECT FROM owned o WHERE o.objid = r.oid AND o.deptype = 'i')
