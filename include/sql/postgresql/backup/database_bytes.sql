-- purpose: tell how many bytes all databases of the cluster hold, as a measure for backups and for a restore
-- kind: read
-- engine: postgresql 14-19
-- privileges: pg_read_all_stats (or CONNECT on every database)
-- locks: none
-- licence: none
-- binds: none
-- columns: total_bytes (bytes on disk)
-- source: PostgreSQL manual, Database Object Management Functions
SELECT sum(pg_database_size(oid))::bigint AS total_bytes
FROM pg_database
