-- purpose: let the work account of the pipeline reindex see all sessions, measure indexes, and rebuild those of one owner
-- kind: grants
-- engine: postgresql 14-19
-- privileges: superuser, or CREATEROLE with ADMIN OPTION on the granted roles, and owner of the extension amcheck
-- locks: none
-- licence: none
-- binds: role (identifier: the work account, which is not the looking one; psql -v role=drydock_work), owner (identifier: role that owns the indexes; run the file once for each)
-- columns: none
-- source: PostgreSQL manual, Predefined Roles; REINDEX; DROP INDEX; Client Connection Defaults; appendix amcheck; appendix pgstattuple
-- load, old transactions, waiting sessions and standbys: without it the gate does not see them and stays closed
GRANT pg_read_all_stats TO :"role";
-- pgstatindex on indexes of others (the extension is installed by the site's DBA)
GRANT pg_stat_scan_tables TO :"role";
-- from version 17 on MAINTAIN on the table is enough for REINDEX, not for dropping what a cancelled one left behind:
-- DROP INDEX is for the owner and members of its role
GRANT :"owner" TO :"role";
-- the check of a rebuilt index: only superusers may, until it is granted (extension amcheck, in its own schema)
GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO :"role";
ALTER ROLE :"role" SET lock_timeout = '2s';
ALTER ROLE :"role" CONNECTION LIMIT 6;
