//! The schema that `migrate-source` makes of a set without a database, compared with the one that a server has.

use std::collections::BTreeSet;

use migrate_source::schema::{SchemaObject, SetSchema};
use tokio_postgres::Client;

/// An object that has a name of its own, and a fact about it.
type Fact = (String, String);

/// The facts about the objects of a database.
const FACTS: &str = r"
WITH own AS (
    SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
), tables AS (SELECT * FROM own WHERE relkind IN ('r', 'p', 'f'))
SELECT name, 'table' FROM tables
UNION ALL SELECT name, format('column %I %s%s', attname, format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN ' NOT NULL' END)
    FROM tables JOIN pg_attribute ON attrelid = oid
    WHERE attnum > 0 AND NOT attisdropped AND attislocal
UNION ALL SELECT name, format('constraint %I', conname) FROM tables t JOIN pg_constraint ON conrelid = t.oid
    WHERE contype IN ('c', 'f', 'p', 'u', 'x') AND conislocal AND conparentid = 0
UNION ALL SELECT name, format('index %I', i.relname)
    FROM own o JOIN pg_index ON indrelid = o.oid JOIN pg_class i ON i.oid = indexrelid
    WHERE o.relkind IN ('r', 'p', 'm') AND NOT i.relispartition
        AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = indexrelid AND c.conrelid = o.oid)
UNION ALL SELECT name, format('trigger %I', tgname) FROM own o JOIN pg_trigger ON tgrelid = o.oid
    WHERE NOT tgisinternal
UNION ALL SELECT name, format('policy %I', polname) FROM own o JOIN pg_policy ON polrelid = o.oid
UNION ALL SELECT name, format('parent %I.%I', n.nspname, p.relname) FROM tables t
    JOIN pg_inherits ON inhrelid = t.oid JOIN pg_class p ON p.oid = inhparent JOIN pg_namespace n ON n.oid = p.relnamespace
    WHERE p.relkind <> 'p'
UNION ALL SELECT name, 'view' FROM own WHERE relkind IN ('v', 'm')
UNION ALL SELECT name, 'sequence' FROM own WHERE relkind = 'S'
UNION ALL SELECT format('%I.%I', nspname, typname), format('AS ENUM (%s)', string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder))
    FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace JOIN pg_enum ON enumtypid = t.oid GROUP BY 1
UNION ALL SELECT DISTINCT format('%I.%I', nspname, proname), 'function'
    FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace
    WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')";

/// What the server has and the schema has not, with `-` before it, and the other way round, with `+`; nothing of
/// objects that the schema does not know completely.
///
/// # Panics
///
/// When the server does not answer.
pub async fn differences(client: &Client, schema: &SetSchema) -> Vec<String> {
    let before = "SELECT set_config('search_path', '', false)";
    client.query(before, &[]).await.expect("an empty search_path");
    let rows = client.query(FACTS, &[]).await.expect("the facts");
    let mut there: BTreeSet<Fact> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let (mut here, mut vague) = (BTreeSet::new(), BTreeSet::new());
    for object in &schema.objects {
        let is_vague = |one: &SchemaObject| one.unknown.is_some();
        if is_vague(object) || object.parts.iter().any(is_vague) {
            vague.insert(object.name.clone());
        }
        here.extend(facts(object));
    }
    here.retain(|(name, _)| !vague.contains(name));
    there.retain(|(name, _)| !vague.contains(name));
    let line = |sign: char, (name, fact): &Fact| format!("{sign} {name}: {fact}");
    let missing = there.difference(&here).map(|fact| line('-', fact));
    missing.chain(here.difference(&there).map(|fact| line('+', fact))).collect()
}

/// The facts that a schema has of an object.
fn facts(object: &SchemaObject) -> Vec<Fact> {
    let fact = |fact: &str| (object.name.clone(), fact.to_owned());
    let mut facts = match object.kind {
        "type" => {
            let labels = object.definition.split_once(" AS ENUM (");
            labels.map(|(_, labels)| fact(&format!("AS ENUM ({labels}"))).into_iter().collect()
        }
        "schema" | "extension" => Vec::new(),
        kind => vec![fact(kind)],
    };
    facts.extend(parents(object).iter().map(|parent| fact(&format!("parent {parent}"))));
    facts.extend(object.parts.iter().filter(|part| part.kind != "setting").map(|part| {
        let name = &part.name;
        match part.kind {
            "column" => fact(&format!("column {name} {}", typed(&part.definition))),
            kind => fact(&format!("{kind} {name}")),
        }
    }));
    facts
}

/// The tables from which one inherits: as it was made, and later.
fn parents(object: &SchemaObject) -> Vec<String> {
    let made = object.statement();
    let made = made.split_once(" INHERITS (").and_then(|(_, list)| list.split(')').next());
    let later = object.parts.iter().filter(|part| part.kind == "setting");
    let later = later.filter_map(|part| Some(part.definition.split_once(" INHERIT ")?.1));
    made.into_iter().flat_map(|list| list.split(", ")).chain(later).map(str::to_owned).collect()
}

/// The type of a column, and whether it cannot be null.
fn typed(definition: &str) -> String {
    let ends = [" NOT NULL", " DEFAULT ", " GENERATED ", " COLLATE "];
    let end = ends.iter().filter_map(|end| definition.find(end)).min();
    let kind = &definition[..end.unwrap_or(definition.len())];
    let rest = &definition[kind.len()..];
    let rest = rest.split(" DEFAULT ").next().unwrap_or_default();
    format!("{kind}{}", if rest.contains(" NOT NULL") { " NOT NULL" } else { "" })
}
