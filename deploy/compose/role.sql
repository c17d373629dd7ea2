-- Run once, when PostgreSQL's container initializes a new volume: the application's role and database.
-- It is no superuser, so that neither a bug nor a restored backup can run programs there.
\set password `cat /run/secrets/postgres_password`
CREATE ROLE fast_zero LOGIN PASSWORD :'password';
CREATE DATABASE fast_zero OWNER fast_zero;
-- The superuser was created with the same password. Without one it can log in on the socket only:
-- docker compose exec --user postgres database psql
ALTER ROLE postgres PASSWORD NULL;
