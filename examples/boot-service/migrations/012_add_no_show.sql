-- Who does not come gives the room free again.

ALTER TYPE booking_status ADD VALUE 'no_show';

ALTER TABLE bookings ADD COLUMN released_at timestamptz;
