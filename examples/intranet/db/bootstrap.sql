-- Once, on a new server, as its owner; the database itself is made by the container (POSTGRES_DB).
--   psql --set owner_password="$(cat secrets/owner_password)" --set app_password="$(cat secrets/app_password)" \
--     --set backup_password="$(cat secrets/backup_password)" --dbname intranet --file db/bootstrap.sql
-- Settings of the server are no matter of this file: they stand where it is started.
\set ON_ERROR_STOP on

BEGIN;

-- Owns the tables and changes them; only migrations log in as it.
CREATE ROLE intranet_owner LOGIN PASSWORD :'owner_password';
-- Reads and writes rows. An injected statement can do that, and nothing else.
CREATE ROLE intranet LOGIN PASSWORD :'app_password' CONNECTION LIMIT 60;
-- Reads everything, for the backup.
CREATE ROLE intranet_backup LOGIN PASSWORD :'backup_password';
GRANT pg_read_all_data TO intranet_backup;

REVOKE ALL ON DATABASE intranet FROM PUBLIC;
GRANT CONNECT ON DATABASE intranet TO intranet_owner, intranet, intranet_backup;

CREATE SCHEMA app AUTHORIZATION intranet_owner;
GRANT USAGE ON SCHEMA app TO intranet;
ALTER DEFAULT PRIVILEGES FOR ROLE intranet_owner IN SCHEMA app
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO intranet;
ALTER DEFAULT PRIVILEGES FOR ROLE intranet_owner IN SCHEMA app
  GRANT USAGE ON SEQUENCES TO intranet;

COMMIT;
