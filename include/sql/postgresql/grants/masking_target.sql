-- purpose: give the account that owns the masked copies a database of its own, which nobody else may look into until it says so
-- kind: grants
-- engine: postgresql 14-19
-- privileges: superuser, or CREATEROLE with ADMIN OPTION on the granted role, and owner of the database
-- locks: none
-- licence: none
-- binds: role (identifier: the account that owns the copies; psql -v role=drydock_mask_copy), database (identifier: database of the copies, on a server that holds no source)
-- columns: none
-- source: PostgreSQL manual, GRANT; Predefined Roles; Client Connection Defaults
-- load, old transactions, waiting sessions: without it the gate does not see them and stays closed
GRANT pg_read_all_stats TO :"role";
-- staging, the delivered schemas and the schema drydock_masking with what was copied already
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE :"database" TO :"role";
-- who may read a delivered copy is said by the policy (targets[].readers) and let in by name: GRANT CONNECT ON DATABASE ... TO ...
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
ALTER ROLE :"role" SET lock_timeout = '5s';
ALTER ROLE :"role" CONNECTION LIMIT 24;
