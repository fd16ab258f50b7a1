DECLARE
  saved pg_catalog.json := {document};
  changed pg_catalog.record;
BEGIN
  IF saved IS NULL THEN RETURN; END IF;
  IF saved OPERATOR(pg_catalog.->>) 'authorization' OPERATOR(pg_catalog.<>) session_user THEN
    PERFORM pg_catalog.set_config('session_authorization',
      saved OPERATOR(pg_catalog.->>) 'authorization', false);
  END IF;
  IF saved OPERATOR(pg_catalog.->>) 'role' OPERATOR(pg_catalog.<>) pg_catalog.current_setting('role') THEN
    PERFORM pg_catalog.set_config('role', saved OPERATOR(pg_catalog.->>) 'role', false);
  END IF;
  FOR changed IN
    SELECT s.key, s.value
    FROM pg_catalog.json_each_text(saved OPERATOR(pg_catalog.->) 'settings') s
    JOIN pg_catalog.pg_settings now ON now.name OPERATOR(pg_catalog.=) s.key
    WHERE now.setting OPERATOR(pg_catalog.<>) s.value
  LOOP
    PERFORM pg_catalog.set_config(changed.key, changed.value, false);
  END LOOP;
  FOR changed IN
    SELECT o.key, o.value FROM pg_catalog.json_each_text(saved OPERATOR(pg_catalog.->) 'own') o
    WHERE COALESCE(pg_catalog.current_setting(o.key, true), '') OPERATOR(pg_catalog.<>) COALESCE(o.value, '')
  LOOP
    PERFORM pg_catalog.set_config(changed.key, COALESCE(changed.value, ''), false);
  END LOOP;
  FOR changed IN
    SELECT c.relname AS name,
      CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'v' THEN 'VIEW' WHEN c.relkind OPERATOR(pg_catalog.=) 'S' THEN 'SEQUENCE'
        ELSE 'TABLE' END AS kind
    FROM pg_catalog.pg_class c
    WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
      AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,S}')
      AND (saved OPERATOR(pg_catalog.->) 'relations' OPERATOR(pg_catalog.->) c.oid::pg_catalog.text) IS NULL
    ORDER BY c.relkind OPERATOR(pg_catalog.=) 'S'
  LOOP
    EXECUTE pg_catalog.format('DROP %s IF EXISTS pg_temp.%I CASCADE', changed.kind, changed.name);
  END LOOP;
  FOR changed IN
    SELECT r.oid::pg_catalog.regprocedure::pg_catalog.text AS name FROM pg_catalog.pg_proc r
    WHERE r.pronamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
      AND (saved OPERATOR(pg_catalog.->) 'routines' OPERATOR(pg_catalog.->) r.oid::pg_catalog.text) IS NULL
  LOOP
    EXECUTE 'DROP ROUTINE IF EXISTS ' OPERATOR(pg_catalog.||) changed.name OPERATOR(pg_catalog.||) ' CASCADE';
  END LOOP;
  FOR changed IN
    SELECT t.typname AS name FROM pg_catalog.pg_type t
    WHERE t.typnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema() AND t.typelem OPERATOR(pg_catalog.=) 0
      AND (saved OPERATOR(pg_catalog.->) 'types' OPERATOR(pg_catalog.->) t.oid::pg_catalog.text) IS NULL
  LOOP
    EXECUTE pg_catalog.format('DROP TYPE IF EXISTS pg_temp.%I CASCADE', changed.name);
  END LOOP;
  FOR changed IN
    SELECT p.name FROM pg_catalog.pg_prepared_statements p
    WHERE p.from_sql
      AND (saved OPERATOR(pg_catalog.->) 'prepared' OPERATOR(pg_catalog.->) p.name) IS NULL
  LOOP
    EXECUTE pg_catalog.format('DEALLOCATE %I', changed.name);
  END LOOP;
  FOR changed IN
    SELECT k.name FROM pg_catalog.pg_cursors k
    WHERE k.is_holdable
      AND (saved OPERATOR(pg_catalog.->) 'cursors' OPERATOR(pg_catalog.->) k.name) IS NULL
  LOOP
    EXECUTE pg_catalog.format('CLOSE %I', changed.name);
  END LOOP;
  UNLISTEN *;
  FOR changed IN
    SELECT k.key AS name FROM pg_catalog.json_object_keys(CASE WHEN pg_catalog.json_typeof(
      saved OPERATOR(pg_catalog.->) 'channels') OPERATOR(pg_catalog.=) 'object'
      THEN saved OPERATOR(pg_catalog.->) 'channels' ELSE '{}' END) k (key)
  LOOP
    EXECUTE pg_catalog.format('LISTEN %I', changed.name);
  END LOOP;
END
