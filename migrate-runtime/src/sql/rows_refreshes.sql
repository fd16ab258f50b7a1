SELECT format('REFRESH MATERIALIZED VIEW %I.%I', n.nspname, c.relname) AS written
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND c.relispopulated AND NOT {foreign}
ORDER BY c.oid
