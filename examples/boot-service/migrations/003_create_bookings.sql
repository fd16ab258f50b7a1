-- UP
CREATE TYPE booking_status AS ENUM ('requested', 'confirmed', 'cancelled');

CREATE TABLE bookings (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id     bigint NOT NULL REFERENCES rooms (id),
    person_id   bigint NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    status      booking_status NOT NULL DEFAULT 'requested',
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    subject     text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bookings_end_after_start CHECK (starts_at < ends_at)
);

-- DOWN
DROP TABLE bookings;
DROP TYPE booking_status;
