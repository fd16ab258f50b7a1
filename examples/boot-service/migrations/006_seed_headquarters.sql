-- The rooms that the service begins with.

INSERT INTO buildings (name) VALUES ('Harbour'), ('Old Mill');

INSERT INTO rooms (building_id, code, seats, note)
SELECT buildings.id, room.code, room.seats, room.note
FROM buildings
JOIN (VALUES
    ('Harbour', 'H1.01', 4, NULL),
    ('Harbour', 'H1.02', 8, 'the screen''s remote is in the drawer'),
    ('Harbour', 'H2.10', 20, NULL),
    ('Old Mill', 'M0.01', 6, 'step-free; ring at the gate'),
    ('Old Mill', 'M3.07', 10, 'low beams -- mind your head')
) AS room (building, code, seats, note) ON room.building = buildings.name;

INSERT INTO room_equipment (room_id, item)
SELECT rooms.id, equipment.item
FROM rooms
JOIN (VALUES
    ('H1.02', 'screen'),
    ('H2.10', 'screen'),
    ('H2.10', 'microphones'),
    ('M3.07', 'whiteboard')
) AS equipment (code, item) ON equipment.code = rooms.code;

INSERT INTO people (email, first_name, last_name) VALUES
    ('ada@example.org', 'Ada', 'Lovelace'),
    ('emmy@example.org', 'Emmy', 'Noether');
