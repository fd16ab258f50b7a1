(n.nspname ~ '^pg_' OR n.nspname = 'information_schema'
    OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
