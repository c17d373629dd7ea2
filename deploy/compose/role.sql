-- Run once, when PostgreSQL's container prepares a new volume: the application's role and database.
-- It is no superuser, so that neither a mistake of ours nor a restored backup runs programs there.
\set password `cat /run/secrets/postgres_password`
CREATE ROLE fast_zero LOGIN PASSWORD :'password';
CREATE DATABASE fast_zero OWNER fast_zero;
-- The superuser was made with the same password. Without one it is let in on the socket alone:
-- docker compose exec --user postgres database psql
ALTER ROLE postgres PASSWORD NULL;
