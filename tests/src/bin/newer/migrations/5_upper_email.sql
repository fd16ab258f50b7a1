-- UP
CREATE FUNCTION upper_email() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.email := upper(NEW.email);
    RETURN NEW;
END
$$;
CREATE TRIGGER upper_email BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION upper_email();
-- DOWN
DROP TRIGGER upper_email ON users;
DO $$ BEGIN PERFORM 'a;b'; END $$;
DROP FUNCTION upper_email;
