//! Where statements begin and end.

use migrate_set::sql::lexer::{TokenKind, Unclosed, lex};
use migrate_set::sql::split::{SplitProblem, split};

/// Splits `text` into `statements`, in LF and in CRLF, with and without a last `;`.
pub fn check(situation: &str, text: &str, statements: &[&str]) {
    assert_eq!(found(text), statements, "{situation}: {text}");
    let carriage: Vec<String> = statements.iter().map(|one| one.replace('\n', "\r\n")).collect();
    assert_eq!(found(&text.replace('\n', "\r\n")), carriage, "{situation}, in CRLF: {text}");
    let line_comment = lex(text).last().is_some_and(|last| last.kind == TokenKind::LineComment);
    let more = if line_comment { "\n;" } else { ";" };
    assert_eq!(found(&format!("{text}{more}")), statements, "{situation}, one `;` more: {text}");
}

fn found(text: &str) -> Vec<&str> {
    let tokens = lex(text);
    match split(text, &tokens) {
        Ok(statements) => statements.iter().map(|s| &text[s.start()..s.end()]).collect(),
        Err(error) => panic!("{error:?}: {text}"),
    }
}

/// What `text` opens at its byte `at` has no end.
fn unclosed(situation: &str, text: &str, problem: SplitProblem, at: usize) {
    let tokens = lex(text);
    let error = split(text, &tokens).map(|statements| statements.len()).unwrap_err();
    assert_eq!((error.problem, error.at), (problem, at), "{situation}: {text}");
}

#[test]
fn semicolons_end_statements() {
    check("nothing", "", &[]);
    check("blanks", " \t\n\n", &[]);
    check("empty statements", ";; ;\n;", &[]);
    check("empty statements between", "table a;; ;\ntable b;", &["table a", "table b"]);
    check("one, no `;`", "table a", &["table a"]);
    check("the last without `;`", "table a; table b", &["table a", "table b"]);
    check("each with `;`", "table a; table b;", &["table a", "table b"]);
    check("no blank between", "table a;table b", &["table a", "table b"]);
    check("several a line", "table a;\ntable b; table c;\n", &["table a", "table b", "table c"]);
    check("blanks before `;`", "table a  \n\t;\ntable b", &["table a", "table b"]);
    check("`;` alone on its line", "table a\n;\ntable b\n;\n", &["table a", "table b"]);
    check("blank lines inside", "insert into a\n\n\ntable b;", &["insert into a\n\n\ntable b"]);
    check(
        "over several lines",
        "create table a (\n    x int,\n    y text\n);\n\ntable a;",
        &["create table a (\n    x int,\n    y text\n)", "table a"],
    );
    check("indented", "    table a;\n\ttable b;", &["table a", "table b"]);
    check("a parameter", "delete from a where $1; b", &["delete from a where $1", "b"]);
    check("the same one twice", "table a; table a;", &["table a", "table a"]);
}

#[test]
fn comments() {
    check("only a line comment", "-- nothing", &[]);
    check("only a block comment", "/* nothing; */", &[]);
    check("a comment that is a statement", "-- table a;\ntable b;", &["table b"]);
    check("a block that is a statement", "/* table a; */ table b;", &["table b"]);
    check("before", "-- one\n-- two\ntable a;", &["table a"]);
    check("between", "table a;\n-- one\n\n/* two\n*/\ntable b;", &["table a", "table b"]);
    check("after, on its line", "table a; -- one\ntable b; /* two */", &["table a", "table b"]);
    check("after, dangling", "table a;\n\n-- one\n\n-- two\n", &["table a"]);
    check("after a last statement without `;`", "table a -- one\n", &["table a"]);
    check("after, no line feed", "table a; -- one", &["table a"]);
    check("before the `;`", "table a -- one\n; table b", &["table a", "table b"]);
    check("`;` after blanks, then a comment", "end   ; -- one;", &["end"]);
    check("no `;` but in the comment", "table a -- one ;\n, b", &["table a -- one ;\n, b"]);
    check(
        "inside",
        "create table a (\n  x int -- one; two\n  /* three; */\n);\ntable a",
        &["create table a (\n  x int -- one; two\n  /* three; */\n)", "table a"],
    );
    check(
        "inside, over several lines",
        "select x /* one;\n;\n*/ from a; table b",
        &["select x /* one;\n;\n*/ from a", "table b"],
    );
    check(
        "nested",
        "select x /* a; /* b; */ c; */ from a; table b",
        &["select x /* a; /* b; */ c; */ from a", "table b"],
    );
    check("nested twice, no blanks", "/*/*/**/*/;*/table a", &["table a"]);
    check("opened within an end", "/*/ table a; /*/ */ */ table b", &["table b"]);
    check("stars", "/***; ***/ table a", &["table a"]);
    check("a line comment that opens a block", "-- /* \ntable a; -- */", &["table a"]);
    check(
        "a block with a line comment",
        "/* -- */ table a; /* '*/ table b",
        &["table a", "table b"],
    );
    check("quotes in a line comment", "-- it's \" $$\ntable a; table b", &["table a", "table b"]);
    check(
        "quotes in a block comment",
        "/* it's \" $$ */ table a; table b",
        &["table a", "table b"],
    );
    check("an end without an opening", "select 2 */ 3; table b", &["select 2 */ 3", "table b"]);
    check("a dash alone", "select 3 - -1; table b", &["select 3 - -1", "table b"]);
    check("three dashes", "table a --- ;\n; table b", &["table a", "table b"]);
    unclosed("block", "table a; /* b", SplitProblem::Unclosed(Unclosed::Comment), 9);
    unclosed("nested", "/* /* */ table a;", SplitProblem::Unclosed(Unclosed::Comment), 0);
}

#[test]
fn literals() {
    check("`;`", "select ';', 'a;b'; table b", &["select ';', 'a;b'", "table b"]);
    check("`;` in an identifier", "table \"a;b\"; table c", &["table \"a;b\"", "table c"]);
    check("`;` in an identifier before a comment", "end \" ; \" -- one", &["end \" ; \""]);
    check(
        "both, one after the other",
        "select 7, ';' \";\"; table b",
        &["select 7, ';' \";\"", "table b"],
    );
    check("a doubled quote", "select 'it''s; x'; table b", &["select 'it''s; x'", "table b"]);
    check(
        "nothing but doubled quotes",
        "select '''''', ';'; table b",
        &["select '''''', ';'", "table b"],
    );
    check("a doubled double quote", "table \"a\"\";\"; table b", &["table \"a\"\";\"", "table b"]);
    check("quotes in an identifier", "table \"a';\"; table b", &["table \"a';\"", "table b"]);
    check("double quotes in a string", "select 'a\";'; table b", &["select 'a\";'", "table b"]);
    check(
        "a comment in a string",
        "select '-- a;'; select '/* b;'; table c",
        &["select '-- a;'", "select '/* b;'", "table c"],
    );
    check(
        "a backslash before the end",
        r"select '\'; select ';\'; table b",
        &[r"select '\'", r"select ';\'", "table b"],
    );
    check("backslashes all over", r"select '\x\;\\'; table b", &[r"select '\x\;\\'", "table b"]);
    check("E: an escaped backslash", r"select E'\\'; table b", &[r"select E'\\'", "table b"]);
    check("e: an escaped quote", r"select e'a\';b'; table b", &[r"select e'a\';b'", "table b"]);
    check("E: both", r"select E'\\\';'''; table b", &[r"select E'\\\';'''", "table b"]);
    check("an E that ends a word", r"select type'\'; table b", &[r"select type'\'", "table b"]);
    check(
        "U&, with its own escape",
        r"select U&'!0061;' uescape '!'; table b",
        &[r"select U&'!0061;' uescape '!'", "table b"],
    );
    check("U&, identifier", r#"table U&"d\0061;"; table b"#, &[r#"table U&"d\0061;""#, "table b"]);
    check(
        "B, X and N",
        "select B'1', x'f;', N';'; table b",
        &["select B'1', x'f;', N';'", "table b"],
    );
    check(
        "continued on the next line",
        "select 'a;'\n  'b;'; table b",
        &["select 'a;'\n  'b;'", "table b"],
    );
    check(
        "continued after a comment",
        "select E'a'\n-- '\n'\\';'; table b",
        &["select E'a'\n-- '\n'\\';'", "table b"],
    );
    check(
        "blank lines and dashes",
        "insert into a values ('# x\n\n-- y;\n\nz\n');\ntable a",
        &["insert into a values ('# x\n\n-- y;\n\nz\n')", "table a"],
    );
    check(
        "a key of many lines",
        "insert into k values (1, '-----BEGIN KEY-----\nMII/x+y==\n-----END KEY-----\n');\ntable k;",
        &[
            "insert into k values (1, '-----BEGIN KEY-----\nMII/x+y==\n-----END KEY-----\n')",
            "table k",
        ],
    );
    check(
        "a body in one literal, quoted thrice",
        "create function f() returns int as '\nbegin\n  -- run;\n  execute ''select ''''a;'''''';\n\
         end;\n' language 'plpgsql'; -- kept\ntable b;",
        &[
            "create function f() returns int as '\nbegin\n  -- run;\n  \
             execute ''select ''''a;'''''';\nend;\n' language 'plpgsql'",
            "table b",
        ],
    );
    unclosed("string", "table a; select 'b;", SplitProblem::Unclosed(Unclosed::String), 16);
    unclosed("E string", r"select E'a\'; table b", SplitProblem::Unclosed(Unclosed::String), 7);
    unclosed("identifier", "table \"a; b", SplitProblem::Unclosed(Unclosed::Identifier), 6);
}

#[test]
fn dollar_quotes() {
    check(
        "without a tag",
        "do $$ begin null; end $$; table b",
        &["do $$ begin null; end $$", "table b"],
    );
    check(
        "no blanks around",
        "select($$a;$$);do $$b;$$;table c",
        &["select($$a;$$)", "do $$b;$$", "table c"],
    );
    check(
        "a `$` after a letter is part of the word",
        "do$$begin null; end$$;table b",
        &["do$$begin null", "end$$", "table b"],
    );
    check("nothing inside", "select $$$$; table b", &["select $$$$", "table b"]);
    check(
        "with a tag",
        "do $body$ a; $$ b; $$ $body$; table b",
        &["do $body$ a; $$ b; $$ $body$", "table b"],
    );
    check(
        "a tag that holds another",
        "do $a$ $ab$; $b$; $$ $a$; table b",
        &["do $a$ $ab$; $b$; $$ $a$", "table b"],
    );
    check("tags have case", "do $A$ ; $a$ ; $A$; table b", &["do $A$ ; $a$ ; $A$", "table b"]);
    check("a tag with a digit and `_`", "do $_1$ ; $_1$; table b", &["do $_1$ ; $_1$", "table b"]);
    check(
        "a tag beyond ASCII",
        "select $_żółw1$a; b$_żółw1$; table b",
        &["select $_żółw1$a; b$_żółw1$", "table b"],
    );
    check(
        "quotes and comments inside",
        "do $$ it's -- \" /* ; $$; table b",
        &["do $$ it's -- \" /* ; $$", "table b"],
    );
    check(
        "another language inside",
        "create function f() returns text language pltcl as $$\n    \
          # {\n    return [list $1 \"$x;\"]\n$$;\ntable b;",
        &[
            "create function f() returns text language pltcl as $$\n    # {\n    \
         return [list $1 \"$x;\"]\n$$",
            "table b",
        ],
    );
    check(
        "attributes after the body",
        "create function f() returns int as $f$ select 1; $f$\n\
          language sql immutable;\ntable b",
        &[
            "create function f() returns int as $f$ select 1; $f$\nlanguage sql immutable",
            "table b",
        ],
    );
    check("two bodies", "do $$ a; $$; do $$ b; $$", &["do $$ a; $$", "do $$ b; $$"]);
    check(
        "one statement with two",
        "select $$a;$$ || $x$b;$x$; table b",
        &["select $$a;$$ || $x$b;$x$", "table b"],
    );
    check(
        "in a string",
        "select '$$'; table b; select '$$'",
        &["select '$$'", "table b", "select '$$'"],
    );
    check("in a comment", "-- $$\ntable a; /* $$ */ table b", &["table a", "table b"]);
    check("within a word", "select a$b$; table c$b$", &["select a$b$", "table c$b$"]);
    check("parameters beside each other", "select $1$2; table b", &["select $1$2", "table b"]);
    check(
        "a tag with no second `$`",
        "table a; select $tag; table b",
        &["table a", "select $tag", "table b"],
    );
    check("no tag at all", "select $ ; table b", &["select $", "table b"]);
    // tern takes the next three as they are; PostgreSQL says that they have no end.
    let dollar = SplitProblem::Unclosed(Unclosed::Dollar);
    unclosed("a tag and no end", "table a; select $t$b", dollar, 16);
    unclosed("an end without its `$`", "select $t$b$t", dollar, 7);
    unclosed("an end with another tag", "select $t$b$u$; table c", dollar, 7);
}

#[test]
fn routines() {
    let atomic = "create function f(x int) returns bool language sql\nbegin atomic\n  \
                  select case when x > 0 then true else false end; -- one; end;\n  \
                  select case x when 1 then case when true then 2 end end;\nend";
    check("atomic, CASE in it", &format!("{atomic};\ntable b"), &[atomic, "table b"]);
    let either = "CREATE OR REPLACE PROCEDURE \"s\".\"p\" (\"x\" int) LANGUAGE SQL BEGIN ATOMIC\n\
                  INSERT INTO a VALUES (x);\nDELETE FROM b;\nEND";
    check("atomic, quoted, upper case", &format!("{either};\ntable b"), &[either, "table b"]);
    check("two of them", &format!("{atomic};\n{either};"), &[atomic, either]);
    let empty = "create procedure p() begin atomic end";
    check("atomic, nothing inside", &format!("{empty}; table b"), &[empty, "table b"]);
    let commented = "create function f() returns int begin /* ; */ atomic select 1; end";
    check("atomic, a comment between", &format!("{commented}; table b"), &[commented, "table b"]);
    check(
        "RETURN, no body",
        "create function f(a int[]) returns int return a[1]::int;\ntable b",
        &["create function f(a int[]) returns int return a[1]::int", "table b"],
    );
    check(
        "names like its words",
        "create function f(a int default (1)) returns int return case when true then 1 end; table b",
        &[
            "create function f(a int default (1)) returns int return case when true then 1 end",
            "table b",
        ],
    );
    check(
        "a quoted body with END;",
        "create procedure p() language plpgsql as $$\nbegin\n  if true then null; end if;\nend;\n$$;\n\
         call p();",
        &[
            "create procedure p() language plpgsql as $$\nbegin\n  if true then null; end if;\nend;\n$$",
            "call p()",
        ],
    );
    check(
        "a body, then its trigger",
        "create function t() returns trigger as $t$ begin return new; end $t$ language plpgsql;\n\
         create trigger t before update on a for each row execute function t();",
        &[
            "create function t() returns trigger as $t$ begin return new; end $t$ language plpgsql",
            "create trigger t before update on a for each row execute function t()",
        ],
    );
    check(
        "a block of the file's own",
        "begin; table a; end; table b",
        &["begin", "table a", "end", "table b"],
    );
    check(
        "`atomic` outside a routine",
        "begin atomic; table a; end",
        &["begin atomic", "table a", "end"],
    );
    let without_end = "create function f() returns int begin atomic select 1; table b;";
    unclosed("atomic", without_end, SplitProblem::UnclosedAtomicBody, 32);
}

#[test]
fn parentheses_and_operators() {
    let rule = "create rule r as on insert to a do also (delete from b; notify c)";
    check("`;` in parentheses", &format!("{rule}; table b"), &[rule, "table b"]);
    let exclude = "alter table a\n    add constraint c exclude using gist (x with =, y with -|-),\n    \
                   add constraint d exclude using gist (z with -|-)";
    check("an operator of dashes", &format!("{exclude};\ntable b"), &[exclude, "table b"]);
    let index = "create index i on \"s\".\"a\" (((x #>> '{a,b}'::text[])))";
    check("`#` in an operator, deep", &format!("{index};\ntable b"), &[index, "table b"]);
    check(
        "`#` in an operator, over lines",
        "-- one\ncreate index i on a (\n    (x #>> '{a, b}')\n);\n/*\ncreate index j on a (\n    x\n);\n */\n\
         create index j on a (x #- '{a}')",
        &["create index i on a (\n    (x #>> '{a, b}')\n)", "create index j on a (x #- '{a}')"],
    );
    check(
        "a comment ends an operator",
        "select 1 @-- ;\n2; table b",
        &["select 1 @-- ;\n2", "table b"],
    );
    check(
        "a block ends an operator",
        "select 1 +/*;*/ 2; table b",
        &["select 1 +/*;*/ 2", "table b"],
    );
    check("brackets are no parentheses", "select a[1:2]; table b", &["select a[1:2]", "table b"]);
    check(
        "parentheses in literals",
        "select '(', \"(\", $$($$; table b",
        &["select '(', \"(\", $$($$", "table b"],
    );
    check(
        "parentheses in comments",
        "select /* ( */ 1 -- (\n; table b",
        &["select /* ( */ 1", "table b"],
    );
    check("braces", "select '{;}'; table b", &["select '{;}'", "table b"]);
    unclosed("parenthesis", "select (1; table b", SplitProblem::UnclosedParenthesis, 7);
    unclosed("the outer one", "select (1, (2); b", SplitProblem::UnclosedParenthesis, 7);
    unclosed("never opened", "select 1); table b", SplitProblem::UnopenedParenthesis, 8);
}

#[test]
fn unicode() {
    check(
        "names beyond ASCII",
        "create table größe (naïve int); table 表",
        &["create table größe (naïve int)", "table 表"],
    );
    check(
        "written from right to left",
        "create table שלום (כמה int);table b",
        &["create table שלום (כמה int)", "table b"],
    );
    check("in a string", "select '🐘;'; table b", &["select '🐘;'", "table b"]);
    check("in a comment", "-- 🐘;\ntable a; /* ü; */ table b", &["table a", "table b"]);
    check(
        "a Greek question mark is a letter",
        "table a\u{37e} table b; c",
        &["table a\u{37e} table b", "c"],
    );
    check("a blank of Unicode is a letter", "table a;\u{a0}table b", &["table a", "\u{a0}table b"]);
}
