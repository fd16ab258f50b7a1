-- Buildings, and the rooms in them that can be booked.

CREATE TABLE buildings (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    time_zone  text NOT NULL DEFAULT 'Europe/Zurich'
);

CREATE TABLE rooms (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    building_id  bigint NOT NULL REFERENCES buildings (id),
    code         text NOT NULL,
    seats        integer NOT NULL CHECK (seats > 0),
    UNIQUE (building_id, code)
);
