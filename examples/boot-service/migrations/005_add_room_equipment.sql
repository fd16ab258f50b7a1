-- UP
CREATE TABLE room_equipment (
    room_id  bigint NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    item     text NOT NULL,
    PRIMARY KEY (room_id, item)
);

ALTER TABLE rooms ADD COLUMN note text;
COMMENT ON COLUMN rooms.note IS 'shown at the door; plain text';

-- DOWN
ALTER TABLE rooms DROP COLUMN note;
DROP TABLE room_equipment;
