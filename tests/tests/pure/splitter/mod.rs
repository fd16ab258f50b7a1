//! Every situation that the splitter tests of three other tools cover. The expected results are those of
//! PostgreSQL's server and psql.
//!
//! | tool | where | what it covers | tests here |
//! |---|---|---|---|
//! | Atlas | `lex/1`, `lex/2` | plain lists, `;` in literals, comments inside, odd names, no last `;` | `semicolons_end_statements`, `comments`, `literals`, `unicode` |
//! | Atlas | `lex/6` | comments before, between, inside and after; `#` comments | `comments`, `other_dialects` |
//! | Atlas | `lex/3`-`5`, `7`-`10` | a delimiter of the file's own | `delimiters_of_other_tools` |
//! | Atlas | `lex/11`-`14`, `lexgroup/3` | the command `DELIMITER` | `delimiters_of_other_tools` |
//! | Atlas | `lex/15` | dollar quotes, tags, bodies in foreign languages | `dollar_quotes` |
//! | Atlas | `lex/16` | `BEGIN ATOMIC`, `CASE` in it, `RETURN`, quoted names | `routines` |
//! | Atlas | `lex/17`, `lex/18` | parentheses, operators that look like comments | `parentheses_and_operators` |
//! | Atlas | `lex/19`, `20`, `lexbegintry`, `sqlserver` | `GO`, `BEGIN TRY` | `other_dialects` |
//! | Atlas | `lexescaped` | backslashes in both kinds of literals | `literals` |
//! | Atlas | `lexgroup/1`, `2` | triggers and procedures with bodies that are not quoted | `other_dialects` |
//! | goose | `TestSemicolons` | `;` before and in a comment, and in an identifier | `comments`, `literals` |
//! | goose | `TestSplitStatements` | sections, several statements a line, empty sections | `sections_of_goose` |
//! | goose | `valid-up/01`-`09` | blocks, bodies in one literal, keys, blank lines, missing `;` | `sections_of_goose`, `literals` |
//! | goose | `valid-up/08` | comments that another server runs | `other_dialects` |
//! | goose | `TestParsingErrors`, `invalid` | unclosed block, section twice, down first, no marker, no `;` | `sections_that_goose_refuses` |
//! | goose | `COPY`, `envsub` | data in the file, environment variables | `sections_of_goose`, `sections_that_goose_refuses` |
//! | tern | `TestSplit` | empty, no last `;`, `;` in literals and comments, nested comments | `semicolons_end_statements`, `comments`, `literals` |
//! | tern | `TestSplit` | tags beyond ASCII, tags never closed, quotes within quotes | `dollar_quotes` |
//!
//! A comment marks the cases in which a tool differs from PostgreSQL.

mod statements;
mod files;
