-- UP
CREATE TABLE booking_changes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    booking_id  bigint NOT NULL,
    change      text NOT NULL,
    before      jsonb,
    after       jsonb,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION log_booking_change() RETURNS trigger
LANGUAGE plpgsql AS $log$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO booking_changes (booking_id, change, after)
        VALUES (NEW.id, TG_OP, to_jsonb(NEW));
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO booking_changes (booking_id, change, before, after)
        VALUES (NEW.id, TG_OP, to_jsonb(OLD), to_jsonb(NEW));
    ELSE
        INSERT INTO booking_changes (booking_id, change, before)
        VALUES (OLD.id, TG_OP, to_jsonb(OLD));
    END IF;
    RETURN NULL;
END;
$log$;

CREATE TRIGGER bookings_are_logged
    AFTER INSERT OR UPDATE OR DELETE ON bookings
    FOR EACH ROW EXECUTE FUNCTION log_booking_change();

-- DOWN
DROP TRIGGER bookings_are_logged ON bookings;
DROP FUNCTION log_booking_change();
DROP TABLE booking_changes;
