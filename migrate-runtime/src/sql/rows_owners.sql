SELECT format('%I.%I belongs to the role %I', n.nspname, c.relname, pg_get_userbyid(c.relowner)) AS written
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND pg_get_userbyid(c.relowner) <> current_user AND NOT {foreign}
UNION ALL
SELECT format('the schema %I belongs to the role %I', n.nspname, pg_get_userbyid(n.nspowner))
FROM pg_namespace n
WHERE n.oid >= 16384 AND n.nspname !~ '^pg_' AND pg_get_userbyid(n.nspowner) <> current_user
UNION ALL
SELECT concat(count(*), ' large objects') FROM pg_largeobject_metadata HAVING count(*) > 0
ORDER BY 1
