-- migrate:no-transaction
-- The table is written to all day long, so the index must not lock it.

-- UP
CREATE INDEX CONCURRENTLY bookings_person_idx ON bookings (person_id, starts_at);

-- DOWN
DROP INDEX CONCURRENTLY IF EXISTS bookings_person_idx;
