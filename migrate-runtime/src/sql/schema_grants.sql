-- What differs from the privileges that a new object has. For a schema that initdb made, those are its first ones.
UNION ALL SELECT 'grant', g.id, '', '', '', format('%s %s ON %s %s %s%s;', g.word, g.privileges, g.target,
    CASE g.word WHEN 'GRANT' THEN 'TO' ELSE 'FROM' END, g.role, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), ''
FROM (
    SELECT o.id, d.word, o.target, d.is_grantable,
        CASE d.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(d.grantee)) END AS role,
        string_agg(d.privilege_type || coalesce(' (' || o.column_name || ')', ''), ', ' ORDER BY d.privilege_type) AS privileges
    FROM (
        SELECT '2615/' || s.oid, 'SCHEMA ' || quote_ident(s.nspname), NULL, s.nspacl, s.nspowner,
            coalesce((SELECT i.initprivs FROM pg_init_privs i WHERE i.objoid = s.oid AND i.classoid = 'pg_namespace'::regclass),
                acldefault('n', s.nspowner)) FROM space s
        UNION ALL SELECT r.id, CASE r.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || r.shown, NULL, r.relacl, r.relowner,
            acldefault(CASE r.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, r.relowner) FROM relation r WHERE r.relkind <> 'c'
        UNION ALL SELECT r.id, 'TABLE ' || r.shown, quote_ident(a.attname), a.attacl, r.relowner, acldefault('c', r.relowner)
            FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
        UNION ALL SELECT p.id, CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || p.shown, NULL, p.proacl,
            p.proowner, acldefault('f', p.proowner) FROM routine p
        UNION ALL SELECT k.id, 'TYPE ' || k.shown, NULL, k.typacl, k.typowner, acldefault('T', k.typowner) FROM kind k
        UNION ALL SELECT '1417/' || f.oid, 'FOREIGN SERVER ' || quote_ident(f.srvname), NULL, f.srvacl, f.srvowner,
            acldefault('S', f.srvowner) FROM pg_foreign_server f
    ) o (id, target, column_name, now, owner, usual), LATERAL (
        SELECT 'GRANT' AS word, n.grantee, n.privilege_type, n.is_grantable FROM (
            SELECT a.grantee, a.privilege_type, a.is_grantable FROM aclexplode(o.now) a
            EXCEPT SELECT a.grantee, a.privilege_type, a.is_grantable FROM aclexplode(o.usual) a) n
        UNION ALL SELECT 'REVOKE', n.grantee, n.privilege_type, false FROM (
            SELECT a.grantee, a.privilege_type FROM aclexplode(o.usual) a WHERE o.now IS NOT NULL
            EXCEPT SELECT a.grantee, a.privilege_type FROM aclexplode(o.now) a) n
    ) d GROUP BY 1, 2, 3, 4, d.grantee
) g

UNION ALL SELECT 'object', 'default/' || d.oid, 'default privileges', concat_ws(' ', 'of', quote_ident(pg_get_userbyid(d.defaclrole)),
    'for', t.word, 'in ' || quote_ident(n.nspname)), '', (
    SELECT string_agg(format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s %s %s ON %s %s %s%s;', pg_get_userbyid(d.defaclrole),
        ' IN SCHEMA ' || quote_ident(n.nspname), g.word, g.privileges, upper(t.word), CASE g.word WHEN 'GRANT' THEN 'TO' ELSE 'FROM' END,
        CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
        CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END), chr(10) ORDER BY g.word DESC, g.grantee, g.is_grantable)
    FROM (SELECT x.word, x.grantee, x.is_grantable, string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type) AS privileges FROM (
        SELECT 'GRANT' AS word, y.* FROM (SELECT a.grantee, a.privilege_type, a.is_grantable FROM aclexplode(d.defaclacl) a
            EXCEPT SELECT a.grantee, a.privilege_type, a.is_grantable FROM aclexplode(u.usual) a) y
        UNION ALL SELECT 'REVOKE', y.grantee, y.privilege_type, false FROM (SELECT a.grantee, a.privilege_type FROM aclexplode(u.usual) a
            EXCEPT SELECT a.grantee, a.privilege_type FROM aclexplode(d.defaclacl) a) y) x GROUP BY 1, 2, 3) g), ''
FROM pg_default_acl d LEFT JOIN space n ON n.oid = d.defaclnamespace
    JOIN (VALUES ('r', 'tables'), ('S', 'sequences'), ('f', 'functions'), ('T', 'types'), ('n', 'schemas')) t (code, word)
        ON t.code = d.defaclobjtype::text,
    LATERAL (SELECT CASE WHEN d.defaclnamespace = 0 THEN acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END,
        d.defaclrole) END AS usual) u
