//! Tests of the library against a server: each has a database of its own.
//!
//! They share one server and one process. So they count locks and sessions of their own database
//! only, give roles the database's name and drop them, and change no setting of the server.

mod adopt;
mod amend;
mod callers_state;
mod catalog_columns;
mod checks;
mod composed;
mod copy;
mod conflicts;
mod cuts;
mod denials;
mod drift;
mod ecosystem;
mod encodings;
mod ended;
mod events;
mod failures;
mod fresh;
mod functions;
mod guides;
mod half_done;
mod holders;
mod hooks;
mod identifier_limits;
mod identifiers;
mod invariants;
mod interrupted;
mod named_server;
mod names;
mod next_actions;
mod nontransactional;
mod options;
mod pools;
mod privileges;
mod reads_elsewhere;
mod renumbered;
mod repeatables;
mod replicas;
mod rollback;
mod row_lock;
mod run;
mod same_index;
mod seeds;
mod server_log;
mod session;
mod session_limits;
mod shadows;
mod snapshots;
mod strangers;
mod subscriptions;
mod tenants;
mod texts;
mod trial;
mod waits;
