SELECT format(
    'SELECT format(''SELECT pg_catalog.setval(%%L, %%s, %%s)'', %L, last_value, is_called::text) AS written FROM %I.%I '
    'WHERE is_called OR last_value <> %s',
    format('%I.%I', n.nspname, c.relname), n.nspname, c.relname, s.seqstart) AS written
FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_sequence s ON s.seqrelid = c.oid
WHERE NOT {foreign}
ORDER BY n.nspname, c.relname
