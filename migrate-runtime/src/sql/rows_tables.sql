SELECT format('%I.%I', n.nspname, c.relname) AS shown,
    string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns,
    bool_or(a.attidentity <> '') AS numbered,
    string_agg(format(
        CASE WHEN a.atttypid IN (16, 20, 21, 23) THEN 'COALESCE(%I::pg_catalog.text, ''NULL'')'
            ELSE 'pg_catalog.quote_nullable(%I::pg_catalog.text)' END,
        a.attname), ', ' ORDER BY a.attnum) AS vals
FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND NOT {foreign}
GROUP BY n.nspname, c.relname
ORDER BY n.nspname, c.relname
