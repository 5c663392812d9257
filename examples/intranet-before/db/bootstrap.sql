-- The owner is created further down: on a new server this fails, and so does all that follows.
CREATE DATABASE intranet
  OWNER intranet
  LC_COLLATE 'de_DE.UTF-8'
  TEMPLATE template0;

-- The password, for everybody who can read the repository.
CREATE USER intranet WITH SUPERUSER PASSWORD 'intranet2024';
GRANT ALL PRIVILEGES ON DATABASE intranet TO intranet;

-- Less than PostgreSQL takes when nobody says anything, or just that.
ALTER SYSTEM SET effective_cache_size = '512MB';
ALTER SYSTEM SET work_mem = '4MB';
ALTER SYSTEM SET shared_buffers = '512MB';
