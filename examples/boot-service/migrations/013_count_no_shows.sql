-- PostgreSQL lets a new value of an enum be used once it is committed: in a later migration.

-- UP
CREATE OR REPLACE VIEW room_occupancy AS
SELECT
    rooms.id AS room_id,
    buildings.name AS building,
    rooms.code,
    rooms.seats,
    ARRAY(
        SELECT item FROM room_equipment WHERE room_equipment.room_id = rooms.id ORDER BY item
    ) AS equipment,
    (
        SELECT count(*)
        FROM bookings
        WHERE bookings.room_id = rooms.id
          AND bookings.status = 'confirmed'
          AND bookings.ends_at > now()
    ) AS upcoming,
    (
        SELECT count(*)
        FROM bookings
        WHERE bookings.room_id = rooms.id
          AND bookings.status = 'no_show'
          AND bookings.ends_at > now() - interval '30 days'
    ) AS no_shows
FROM rooms
JOIN buildings ON buildings.id = rooms.building_id;

-- DOWN
-- A view loses no column by being replaced.
DROP VIEW room_occupancy;

CREATE VIEW room_occupancy AS
SELECT
    rooms.id AS room_id,
    buildings.name AS building,
    rooms.code,
    rooms.seats,
    ARRAY(
        SELECT item FROM room_equipment WHERE room_equipment.room_id = rooms.id ORDER BY item
    ) AS equipment,
    (
        SELECT count(*)
        FROM bookings
        WHERE bookings.room_id = rooms.id
          AND bookings.status = 'confirmed'
          AND bookings.ends_at > now()
    ) AS upcoming
FROM rooms
JOIN buildings ON buildings.id = rooms.building_id;
