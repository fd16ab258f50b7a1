-- A trigger, because an exclusion constraint over (room_id, range) would need the extension
-- btree_gist, which not every provider has.

-- UP
CREATE FUNCTION refuse_overlapping_bookings() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> 'confirmed' THEN
        RETURN NEW;
    END IF;

    -- Two confirmations of one room come one after the other.
    PERFORM 1 FROM rooms WHERE id = NEW.room_id FOR UPDATE;

    IF EXISTS (
        SELECT 1
        FROM bookings AS other
        WHERE other.room_id = NEW.room_id
          AND other.id <> NEW.id
          AND other.status = 'confirmed'
          AND tstzrange(other.starts_at, other.ends_at) && tstzrange(NEW.starts_at, NEW.ends_at)
    ) THEN
        RAISE EXCEPTION 'room % is taken from % to %', NEW.room_id, NEW.starts_at, NEW.ends_at
            USING ERRCODE = 'exclusion_violation';
    END IF;

    RETURN NEW;
END;
$$;

CREATE TRIGGER bookings_do_not_overlap
    BEFORE INSERT OR UPDATE OF room_id, status, starts_at, ends_at ON bookings
    FOR EACH ROW EXECUTE FUNCTION refuse_overlapping_bookings();

-- DOWN
DROP TRIGGER bookings_do_not_overlap ON bookings;
DROP FUNCTION refuse_overlapping_bookings();
