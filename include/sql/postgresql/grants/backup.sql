-- purpose: give the account of the pipeline backup exactly what it looks at: who the server is, how archiving goes, sizes
-- kind: grants
-- engine: postgresql 14-19
-- privileges: superuser, or CREATEROLE with ADMIN OPTION on the granted role
-- locks: none
-- licence: none
-- binds: role (identifier: the looking account; psql -v role=drydock -f backup.sql)
-- columns: none
-- source: PostgreSQL manual, Predefined Roles; Client Connection Defaults
-- sizes of databases that the account may not connect to
GRANT pg_read_all_stats TO :"role";
-- a session of this account cannot change anything, whatever it is told; Drydock's own sessions say so themselves as well
ALTER ROLE :"role" SET default_transaction_read_only = on;
ALTER ROLE :"role" SET statement_timeout = '60s';
ALTER ROLE :"role" SET lock_timeout = '2s';
ALTER ROLE :"role" CONNECTION LIMIT 4;
