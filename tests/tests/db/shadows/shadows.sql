-- Shadows of all that pg_catalog has, which an unqualified name finds where `before` comes before pg_catalog in the
-- search_path, and operators for types that pg_catalog combines only by a cast: those of `after` win with any path.
-- No role may execute a shadow, so that an expression with one fails even if no row reaches it.
CREATE SCHEMA before;
CREATE SCHEMA after;
GRANT USAGE ON SCHEMA before, after TO PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
SET search_path = '';

CREATE FUNCTION before.captured() RETURNS bool LANGUAGE internal AS 'booleq';

DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT pg_get_functiondef(p.oid) AS definition FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'w')
    LOOP
        BEGIN
            EXECUTE replace(found.definition, ' FUNCTION pg_catalog.', ' FUNCTION before.');
        EXCEPTION WHEN invalid_function_definition THEN
            -- An input function of a pseudo-type, which only the bootstrap may define.
        END;
    END LOOP;
    FOR found IN
        SELECT p.proname, oidvectortypes(p.proargtypes) AS arguments, p.prorettype::regtype AS result FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'a'
    LOOP
        EXECUTE format('CREATE FUNCTION before.%I(%s) RETURNS %s LANGUAGE internal AS ''booleq''',
            found.proname, found.arguments, found.result);
    END LOOP;
    FOR found IN
        SELECT o.oid, o.oprname, o.oprleft, o.oprright, o.oprresult::regtype AS result FROM pg_operator o
        WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprcode <> 0 AND o.oprright <> 0
    LOOP
        EXECUTE format('CREATE FUNCTION before.captured_%s(%s) RETURNS %s LANGUAGE internal AS ''booleq''', found.oid,
            concat_ws(', ', nullif(found.oprleft, 0)::regtype, found.oprright::regtype), found.result);
        EXECUTE format('CREATE OPERATOR before.%s (%s, FUNCTION = before.captured_%s)', found.oprname,
            concat_ws(', ', 'LEFTARG = ' || nullif(found.oprleft, 0)::regtype,
                'RIGHTARG = ' || found.oprright::regtype), found.oid);
    END LOOP;
    FOR found IN
        SELECT t.typname FROM pg_type t
        WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'r') AND t.typcategory <> 'A'
    LOOP
        EXECUTE format('CREATE DOMAIN before.%1$I AS pg_catalog.%1$I CHECK (before.captured())', found.typname);
    END LOOP;
    FOR found IN
        SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v')
            -- A view cannot have columns of a pseudo-type.
            AND format_type(a.atttypid, NULL) NOT IN ('anyarray', 'pg_catalog.pg_statistic[]', 'pg_statistic[]')
        GROUP BY c.relname
    LOOP
        EXECUTE format('CREATE VIEW before.%1$I AS SELECT %2$s FROM pg_catalog.%1$I', found.relname, found.columns);
    END LOOP;
END $$;
CREATE TYPE before.record AS (captured bool);

DO $$
DECLARE
    types regtype[] := '{bool,"\"char\"",name,int2,int4,int8,float8,numeric,oid,regclass,regnamespace,text,varchar,
        timestamp,timestamptz,interval,json,jsonb,"\"char\"[]",name[],text[]}';
    one regtype;
    other regtype;
    sign text;
    place text;
BEGIN
    FOREACH place IN ARRAY ARRAY['before', 'after'] LOOP
        FOREACH one IN ARRAY types LOOP
            FOREACH other IN ARRAY types LOOP
                EXECUTE format('CREATE FUNCTION %1$s.captured(%2$s, %3$s) RETURNS bool LANGUAGE internal AS ''booleq'';
                    CREATE FUNCTION %1$s.captured_as_left(%2$s, %3$s) RETURNS %2$s LANGUAGE internal AS ''booleq''',
                    place, one, other);
                FOREACH sign IN ARRAY '{=,<>,<,>,<=,>=,~,~~,!~,!~~,+,-,*,/,%,||,->,->>}'::text[] LOOP
                    IF to_regoperator(format('pg_catalog.%s(%s,%s)', sign, one, other)) IS NULL THEN
                        EXECUTE format('CREATE OPERATOR %s.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %1$s.%5$s)',
                            place, sign, one, other,
                            CASE WHEN sign ~ '^[-+*/%|]' THEN 'captured_as_left' ELSE 'captured' END);
                    END IF;
                END LOOP;
            END LOOP;
        END LOOP;
    END LOOP;
END $$;
