-- purpose: give the account of the pipeline audit exactly what it looks at: settings of logging, who can change them, the log's files
-- kind: grants
-- engine: postgresql 14-19
-- privileges: superuser, or CREATEROLE with ADMIN OPTION on the granted role
-- locks: none
-- licence: none
-- binds: role (identifier: the looking account; psql -v role=drydock -f audit.sql)
-- columns: none
-- source: PostgreSQL manual, Predefined Roles; Client Connection Defaults
-- settings that only superusers see otherwise (log_directory, shared_preload_libraries), and the list of the log's files
GRANT pg_monitor TO :"role";
-- a session of this account cannot change anything, whatever it is told; it reads no table of the application
ALTER ROLE :"role" SET default_transaction_read_only = on;
ALTER ROLE :"role" SET statement_timeout = '60s';
ALTER ROLE :"role" SET lock_timeout = '2s';
ALTER ROLE :"role" CONNECTION LIMIT 4;
