-- Views, and what belongs to a table: rules, triggers, policies and statistics.
UNION ALL SELECT 'object', r.id, r.word, r.shown, '', concat('CREATE ', upper(r.word), ' ', r.shown,
    (SELECT ' USING ' || quote_ident(m.amname) FROM pg_am m WHERE m.oid = r.relam AND m.amname <> 'heap'),
    (SELECT ' WITH (' || string_agg(p, ', ' ORDER BY p) || ')' FROM unnest(r.reloptions) p),
    ' AS', chr(10), rtrim(pg_get_viewdef(r.oid), ';'),
    CASE WHEN r.relkind = 'm' AND NOT r.relispopulated THEN chr(10) || 'WITH NO DATA' END, ';'),
    ''
FROM relation r WHERE r.relkind IN ('v', 'm')

UNION ALL SELECT 'object', '2618/' || w.oid, 'rule', format('%I on %s', w.rulename, r.shown), r.id,
    concat(pg_get_ruledef(w.oid), (SELECT chr(10) || format('ALTER TABLE %s %s RULE %I;', r.shown, e.word, w.rulename)
        FROM (VALUES ('D', 'DISABLE'), ('R', 'ENABLE REPLICA'), ('A', 'ENABLE ALWAYS')) e (code, word)
        WHERE e.code = w.ev_enabled::text)), ''
FROM pg_rewrite w JOIN relation r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'

UNION ALL SELECT 'object', '2620/' || t.oid, 'trigger', format('%I on %s', t.tgname, r.shown), r.id,
    concat(pg_get_triggerdef(t.oid), ';', (SELECT chr(10) || format('ALTER TABLE %s %s TRIGGER %I;', r.shown, e.word, t.tgname)
        FROM (VALUES ('D', 'DISABLE'), ('R', 'ENABLE REPLICA'), ('A', 'ENABLE ALWAYS')) e (code, word)
        WHERE e.code = t.tgenabled::text)), ''
FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal AND t.tgparentid = 0

-- A trigger of a partition's parent that is enabled otherwise here.
UNION ALL SELECT 'after', r.id, '', '5' || t.tgname, '', format('ALTER TABLE %s %s TRIGGER %I;', r.shown, e.word, t.tgname), ''
FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid JOIN pg_trigger p ON p.oid = t.tgparentid
    JOIN (VALUES ('O', 'ENABLE'), ('D', 'DISABLE'), ('R', 'ENABLE REPLICA'), ('A', 'ENABLE ALWAYS')) e (code, word)
        ON e.code = t.tgenabled::text
WHERE p.tgenabled <> t.tgenabled AND NOT p.tgisinternal

UNION ALL SELECT 'object', '3256/' || p.oid, 'policy', format('%I on %s', p.polname, r.shown), r.id,
    concat(format('CREATE POLICY %I ON %s', p.polname, r.shown), CASE WHEN NOT p.polpermissive THEN ' AS RESTRICTIVE' END,
        CASE p.polcmd WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT' WHEN 'w' THEN ' FOR UPDATE'
            WHEN 'd' THEN ' FOR DELETE' END,
        (SELECT ' TO ' || string_agg(quote_ident(pg_get_userbyid(o)), ', ' ORDER BY pg_get_userbyid(o))
            FROM unnest(p.polroles) o WHERE o <> 0),
        chr(10) || '    USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
        chr(10) || '    WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', ';'),
    ''
FROM pg_policy p JOIN relation r ON r.oid = p.polrelid

UNION ALL SELECT 'object', '3381/' || s.oid, 'statistics', format('%I.%I on %s', n.nspname, s.stxname, r.shown), r.id,
    concat(pg_get_statisticsobjdef(s.oid), ';', format('%sALTER STATISTICS %I.%I SET STATISTICS ', chr(10), n.nspname,
        s.stxname) || nullif(coalesce(to_jsonb(s) ->> 'stxstattarget', '-1'), '-1') || ';'),
    ''
FROM pg_statistic_ext s JOIN relation r ON r.oid = s.stxrelid JOIN pg_namespace n ON n.oid = s.stxnamespace
