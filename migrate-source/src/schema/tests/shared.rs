//! Objects that share a name, and those that cannot.

use super::part;

#[test]
fn index_and_check_share_a_name() {
    part(
        "
        create unique index k on t (a); alter table t add constraint k check (a > 0)
            => a integer,
            => CONSTRAINT k CHECK (a > 0)
            => CREATE UNIQUE INDEX k ON public.t (a);
        create index k on t (a); alter table t add constraint k check (a > 0); alter table t drop constraint k
            => a integer
            => CREATE INDEX k ON public.t (a);
        create index k on t (a); alter table t add constraint k check (a > 0);
            alter table t rename constraint k to l
            => a integer,
            => CONSTRAINT l CHECK (a > 0)
            => CREATE INDEX k ON public.t (a);
        create index k on t (a); alter table t add constraint k check (a > 0); alter index k rename to l
            => a integer,
            => CONSTRAINT k CHECK (a > 0)
            => CREATE INDEX l ON public.t (a);",
    );
}

#[test]
fn a_name_that_a_constraint_of_its_schema_has_is_taken() {
    part(
        "
        create table u (a int constraint t_a_check check (a > 0)); alter table t add check (a > 0)
            => a integer,
            => CONSTRAINT t_a_check1 CHECK (a > 0)
        create domain d as int constraint t_a_check check (value > 0); alter table t add check (a > 0)
            => a integer,
            => CONSTRAINT t_a_check1 CHECK (a > 0)
        create domain d as int constraint t_a_check check (value > 0); alter domain d drop constraint t_a_check;
            alter table t add check (a > 0)
            => a integer,
            => CONSTRAINT t_a_check CHECK (a > 0)",
    );
}
