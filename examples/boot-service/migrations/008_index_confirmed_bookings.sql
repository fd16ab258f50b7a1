-- Only confirmed bookings are searched by time, and they are few.

-- UP
CREATE INDEX bookings_confirmed_idx ON bookings (room_id, starts_at, ends_at)
    WHERE status = 'confirmed';

-- DOWN
DROP INDEX bookings_confirmed_idx;
