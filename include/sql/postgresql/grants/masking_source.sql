-- purpose: let the reading account of the pipeline masking see the rows of one schema and the load of the server, and change nothing
-- kind: grants
-- engine: postgresql 14-19
-- privileges: superuser, or CREATEROLE with ADMIN OPTION on the granted role, and owner of the schema and its tables
-- locks: none
-- licence: none
-- binds: role (identifier: the reading account, which is that of no other pipeline; psql -v role=drydock_mask_read), schema (identifier: schema of the policy's source; run the file once for each), owner (identifier: role that makes the tables of the schema)
-- columns: none
-- source: PostgreSQL manual, GRANT; ALTER DEFAULT PRIVILEGES; Predefined Roles; Client Connection Defaults
-- load, old transactions, waiting sessions: without it the gate does not see them and stays closed
GRANT pg_read_all_stats TO :"role";
GRANT USAGE ON SCHEMA :"schema" TO :"role";
GRANT SELECT ON ALL TABLES IN SCHEMA :"schema" TO :"role";
-- the last value of a sequence is behind SELECT
GRANT SELECT ON ALL SEQUENCES IN SCHEMA :"schema" TO :"role";
-- partitions and tables that are made later
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"schema" GRANT SELECT ON TABLES TO :"role";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"schema" GRANT SELECT ON SEQUENCES TO :"role";
-- a session of this account cannot change anything, whatever it is told; Drydock's own sessions say so themselves as well
ALTER ROLE :"role" SET default_transaction_read_only = on;
ALTER ROLE :"role" SET lock_timeout = '5s';
-- the picture of the source is one transaction that lives as long as the copy takes
ALTER ROLE :"role" SET idle_in_transaction_session_timeout = 0;
ALTER ROLE :"role" CONNECTION LIMIT 24;
