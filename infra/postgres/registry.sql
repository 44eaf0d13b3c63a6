-- The schema registry's role: run in the database postgres as superuser, at every start. It owns its database, and connects to
-- no other (pg_hba.conf).
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'registry') THEN CREATE ROLE registry; END IF;
END
$$;
ALTER ROLE registry LOGIN CONNECTION LIMIT 10 PASSWORD '${registry.password}';
