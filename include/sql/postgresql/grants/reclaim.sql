-- purpose: let the work account of the pipeline reclaim see all sessions and sizes, measure tables, and rewrite the tables of one owner
-- kind: grants
-- engine: postgresql 14-19
-- privileges: superuser, or CREATEROLE with ADMIN OPTION on the granted roles, and owner of the database
-- locks: none
-- licence: none
-- binds: role (identifier: the work account, which is not the looking one; psql -v role=drydock_work), owner (identifier: role that owns the tables; run the file once for each), database (identifier: the database of the tables)
-- columns: none
-- source: PostgreSQL manual, Predefined Roles; Role Membership; CREATE SCHEMA; Client Connection Defaults; appendix pgstattuple
-- load, old transactions, waiting sessions and standbys: without it the gate does not see them and stays closed
GRANT pg_read_all_stats TO :"role";
-- pgstattuple on tables of others (the extension is installed by the site's DBA)
GRANT pg_stat_scan_tables TO :"role";
-- an online copy takes the table's place and must belong to the table's owner: only a member of that role may do both.
-- Where nothing but VACUUM is allowed (action vacuum_truncate), leave this one out and, from version 17 on, grant MAINTAIN
-- on the tables, or pg_maintain for all of them: GRANT MAINTAIN ON ALL TABLES IN SCHEMA ... TO role
GRANT :"owner" TO :"role";
-- the schema drydock_reclaim, in which an unfinished copy is found again
GRANT CREATE ON DATABASE :"database" TO :"role";
ALTER ROLE :"role" SET lock_timeout = '2s';
ALTER ROLE :"role" CONNECTION LIMIT 6;
