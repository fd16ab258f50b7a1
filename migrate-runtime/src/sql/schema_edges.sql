-- What depends on what. An alias is part of another object, whose statements make it.
UNION ALL SELECT 'version', '', '', '', '', current_setting('server_version_num'), ''

UNION ALL SELECT 'alias', a.class || '/' || a.oid, a.whole, '', '', '', ''
FROM (
    SELECT 1247, t.oid, '1259/' || t.typrelid FROM pg_type t WHERE t.typrelid <> 0
    UNION ALL SELECT 1247, t.typarray, '1247/' || t.oid FROM pg_type t WHERE t.typarray <> 0
    UNION ALL SELECT 1247, (to_jsonb(r) ->> 'rngmultitypid')::oid, '1247/' || r.rngtypid FROM pg_range r
        WHERE to_jsonb(r) ? 'rngmultitypid'
    UNION ALL SELECT 2618, w.oid, '1259/' || w.ev_class FROM pg_rewrite w WHERE w.rulename = '_RETURN'
    UNION ALL SELECT 2604, d.oid, '1259/' || d.adrelid FROM pg_attrdef d
    UNION ALL SELECT 1259, c.conindid, '2606/' || c.oid FROM pg_constraint c WHERE c.contype IN ('p', 'u', 'x')
    UNION ALL SELECT 2606, c.oid, CASE WHEN c.contypid <> 0 THEN '1247/' || c.contypid ELSE '1259/' || c.conrelid END
        FROM pg_constraint c WHERE c.contype <> 't'
    UNION ALL SELECT 1259, o.objid, '1259/' || o.refobjid FROM owned o WHERE o.deptype = 'i'
    UNION ALL SELECT 6106, m.oid, '6104/' || m.prpubid FROM pg_publication_rel m
    UNION ALL SELECT 2620, t.oid, '2620/' || t.tgparentid FROM pg_trigger t WHERE t.tgparentid <> 0
) a (class, oid, whole) WHERE a.oid >= 16384

-- A sequence is made before the table that owns it, because a default of the table draws from it.
UNION ALL SELECT 'edge', d.classid || '/' || d.objid, coalesce('3079/' || m.refobjid, d.refclassid || '/' || d.refobjid), '', '', '', ''
FROM pg_depend d LEFT JOIN member m ON m.classid = d.refclassid AND m.objid = d.refobjid
WHERE d.objid >= 16384 AND d.refobjid >= 16384 AND d.deptype <> 'e'
    AND NOT EXISTS (SELECT FROM owned o WHERE o.objid = d.objid AND d.classid = 'pg_class'::regclass
        AND o.refobjid = d.refobjid AND d.refclassid = 'pg_class'::regclass)

-- An index of a partitioned table is made when its partitions are attached, or each would get an index of its own.
UNION ALL SELECT 'edge', '1259/' || x.indexrelid, '1259/' || i.inhrelid, '', '', '', ''
FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid AND t.relkind = 'p' JOIN pg_inherits i ON i.inhparent = t.oid
WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x'))

-- A partition cannot be attached without a check of its parent, so one that is not valid is made when all are attached.
UNION ALL SELECT 'edge', '2606/' || c.oid, '1259/' || p.relid::oid, '', '', '', ''
FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid AND t.relkind = 'p', LATERAL pg_partition_tree(t.oid) p
WHERE c.contype = 'c' AND NOT c.convalidated AND c.conislocal AND p.relid <> t.oid
