-- Functions, procedures, aggregates, operators and casts.
UNION ALL SELECT 'object', p.id, p.word, p.shown, '',
    -- Without `OR REPLACE`.
    'CREATE' || substr(rtrim(pg_get_functiondef(p.oid), chr(10)), 18) || ';', ''
FROM routine p WHERE p.prokind <> 'a'

UNION ALL SELECT 'object', p.id, p.word, p.shown, '',
    format('CREATE AGGREGATE %I.%I(%s) (%s' || chr(10) || ');', n.nspname, p.proname, CASE WHEN p.pronargs = 0 THEN '*'
        ELSE pg_get_function_arguments(p.oid) END, (SELECT string_agg(chr(10) || '    ' || o.name || ' = ' || o.value, ','
            ORDER BY o.number) FROM (VALUES
        (1, 'SFUNC', a.aggtransfn::text), (2, 'STYPE', format_type(a.aggtranstype, NULL)),
        (3, 'SSPACE', nullif(a.aggtransspace, 0)::text), (4, 'FINALFUNC', nullif(a.aggfinalfn::text, '-')),
        (5, 'FINALFUNC_EXTRA', CASE WHEN a.aggfinalextra THEN 'true' END),
        (6, 'FINALFUNC_MODIFY', CASE WHEN a.aggfinalmodify <> m.usual AND a.aggfinalfn <> 0 THEN f.word END),
        (7, 'COMBINEFUNC', nullif(a.aggcombinefn::text, '-')), (8, 'SERIALFUNC', nullif(a.aggserialfn::text, '-')),
        (9, 'DESERIALFUNC', nullif(a.aggdeserialfn::text, '-')), (10, 'INITCOND', quote_literal(a.agginitval)),
        (11, 'MSFUNC', nullif(a.aggmtransfn::text, '-')), (12, 'MINVFUNC', nullif(a.aggminvtransfn::text, '-')),
        (13, 'MSTYPE', format_type(nullif(a.aggmtranstype, 0), NULL)),
        (14, 'MSSPACE', nullif(a.aggmtransspace, 0)::text), (15, 'MFINALFUNC', nullif(a.aggmfinalfn::text, '-')),
        (16, 'MFINALFUNC_EXTRA', CASE WHEN a.aggmfinalextra THEN 'true' END),
        (17, 'MINITCOND', quote_literal(a.aggminitval)),
        (18, 'SORTOP', (SELECT format('OPERATOR(%I.%s)', s.nspname, o.oprname) FROM pg_operator o
            JOIN pg_namespace s ON s.oid = o.oprnamespace WHERE o.oid = a.aggsortop)),
        (19, 'PARALLEL', CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' END),
        (20, 'HYPOTHETICAL', CASE WHEN a.aggkind = 'h' THEN 'true' END)) o (number, name, value)
        WHERE o.value IS NOT NULL)), ''
FROM routine p JOIN pg_aggregate a ON a.aggfnoid = p.oid JOIN pg_namespace n ON n.oid = p.pronamespace,
    LATERAL (SELECT CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END::"char" AS usual) m,
    LATERAL (SELECT CASE a.aggfinalmodify WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END AS word) f

UNION ALL SELECT 'object', '2617/' || o.oid, 'operator', n.shown, '', format('CREATE OPERATOR %I.%s (%s);', s.nspname,
    o.oprname, concat_ws(', ', 'FUNCTION = ' || o.oprcode::oid::regproc,
        'LEFTARG = ' || format_type(nullif(o.oprleft, 0), NULL), 'RIGHTARG = ' || format_type(nullif(o.oprright, 0), NULL),
        'COMMUTATOR = ' || c.shown, 'NEGATOR = ' || g.shown, 'RESTRICT = ' || nullif(o.oprrest::oid, 0)::regproc,
        'JOIN = ' || nullif(o.oprjoin::oid, 0)::regproc, CASE WHEN o.oprcanhash THEN 'HASHES' END,
        CASE WHEN o.oprcanmerge THEN 'MERGES' END)), ''
FROM pg_operator o JOIN space s ON s.oid = o.oprnamespace
    LEFT JOIN LATERAL (SELECT format('OPERATOR(%I.%s)', x.nspname, y.oprname) AS shown FROM pg_operator y
        JOIN pg_namespace x ON x.oid = y.oprnamespace WHERE y.oid = o.oprcom) c ON true
    LEFT JOIN LATERAL (SELECT format('OPERATOR(%I.%s)', x.nspname, y.oprname) AS shown FROM pg_operator y
        JOIN pg_namespace x ON x.oid = y.oprnamespace WHERE y.oid = o.oprnegate) g ON true,
    LATERAL (SELECT format('%I.%s (%s, %s)', s.nspname, o.oprname, coalesce(format_type(nullif(o.oprleft, 0), NULL), 'NONE'),
        coalesce(format_type(nullif(o.oprright, 0), NULL), 'NONE')) AS shown) n
WHERE o.oid >= 16384 AND o.oprcode::oid <> 0
    AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_operator'::regclass AND m.objid = o.oid)

UNION ALL SELECT 'object', '2605/' || c.oid, 'cast', n.shown, '', format('CREATE CAST %s %s%s;', n.shown,
    CASE c.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || c.castfunc::regprocedure WHEN 'i' THEN 'WITH INOUT'
        ELSE 'WITHOUT FUNCTION' END,
    CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' END), ''
FROM pg_cast c, LATERAL (SELECT format('(%s AS %s)', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)) AS shown) n
WHERE c.oid >= 16384 AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_cast'::regclass AND m.objid = c.oid)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.objid = c.oid AND d.deptype = 'i')
