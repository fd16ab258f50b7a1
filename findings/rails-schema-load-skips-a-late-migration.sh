#!/bin/sh
# A migration of an older branch beside a schema.rb without it (Active Record 6.1.7.10 and pg 1.4.5 of Debian 12's Ruby
# 3.1; PostgreSQL 15.20 of Debian 12's security archive).
#
# Guess: a database that is loaded from schema.rb has the versions that were applied where the file was written, so a
# migration that a branch brings later, with an older version, is pending there, as it is everywhere else.
# Seen: the file has one version, the newest, and loading it records each migration in the folder up to that version as
# applied, also one that the file knows nothing of. Where the database was migrated the late one runs. A new database,
# such as that of a test, lacks its table, its status is `up`, nothing is pending, and `migrate` does nothing.
set -eu
. "$(dirname "$0")/lib/setup.sh"

server_15_20
rails=2:6.1.7.10+dfsg-1~deb12u4
ruby=3.1.7+really3.1.2-0+deb12u1
unpack_deb "$work/debian" ruby3.1=$ruby libruby3.1=$ruby libyaml-0-2=0.2.5-1 ruby-pg=1.4.5-1+b1 \
    ruby-activerecord=$rails ruby-activemodel=$rails ruby-activesupport=$rails \
    ruby-i18n=1.10.0-2 ruby-concurrent=1.1.6+dfsg-5 ruby-tzinfo=2.0.5-1
usr=$work/debian/usr arch=$(basename "$libraries")
RUBYLIB=$usr/lib/ruby/3.1.0:$usr/lib/$arch/ruby/3.1.0:$usr/lib/ruby/vendor_ruby:$usr/lib/$arch/ruby/vendor_ruby/3.1.0
GEM_PATH=$usr/share/rubygems-integration/all:$usr/share/rubygems-integration/3.1.0
for libs in "$usr"/share/rubygems-integration/all/gems/*/lib "$usr"/share/rubygems-integration/all/gems/*/lib/*-ruby; do
    RUBYLIB=$RUBYLIB:$libs
done
export RUBYLIB GEM_PATH

mkdir "$work/migrate"
cat >"$work/run.rb" <<'RUBY'
require "active_record"

$folder = ARGV[0]
ActiveRecord::Migration.verbose = false
ActiveRecord::Migrator.migrations_paths = [$folder]

def use(database)
  ActiveRecord::Base.establish_connection(adapter: "postgresql", host: ENV["PGHOST"], username: "postgres", database: database)
end

def migrations
  ActiveRecord::MigrationContext.new($folder, ActiveRecord::SchemaMigration)
end

def write(version, table)
  File.write("#{$folder}/#{version}_create_#{table}.rb", <<~MIGRATION)
    class Create#{table.capitalize} < ActiveRecord::Migration[6.1]
      def change
        create_table(:#{table})
      end
    end
  MIGRATION
end

# What is pending, what the status is, and the tables.
def show
  pending = migrations.needs_migration? ? "pending" : "none pending"
  status = migrations.migrations_status.map { |state, version, _| "#{version} #{state}" }
  puts [pending, *status, *(ActiveRecord::Base.connection.tables - %w[schema_migrations ar_internal_metadata]).sort].join(", ")
end

%w[old new].each { |name| use("postgres").connection.create_database(name) }
use("old")
write(1, "users")
write(3, "orders")
migrations.migrate
schema = StringIO.new
ActiveRecord::SchemaDumper.dump(ActiveRecord::Base.connection, schema)
write(2, "tags")
show
migrations.migrate
show
use("new")
eval(schema.string)
show
migrations.migrate
show
RUBY
"$usr/bin/ruby3.1" "$work/run.rb" "$work/migrate" >"$work/seen"
what="what is pending, status of each version, tables"
expect "$what, where the first and the third were applied" "pending, 001 up, 002 down, 003 up, orders, users" "$(sed -n 1p "$work/seen")"
expect "the same after migrate" "none pending, 001 up, 002 up, 003 up, orders, tags, users" "$(sed -n 2p "$work/seen")"
expect "the same in a database that is loaded from schema.rb" "none pending, 001 up, 002 up, 003 up, orders, users" "$(sed -n 3p "$work/seen")"
expect "the same after migrate" "none pending, 001 up, 002 up, 003 up, orders, users" "$(sed -n 4p "$work/seen")"
as_stated "a new database counts a late migration as applied, and lacks its table"
