-- purpose: write one index anew while others read and write
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of the index, or MAINTAIN on its table (from 17)
-- locks: SHARE UPDATE EXCLUSIVE on table and index (against DDL and VACUUM only); waits for every transaction that was open before
-- licence: none
-- binds: index (identifier: schema and index)
-- columns: none
-- source: PostgreSQL manual, REINDEX, Rebuilding Indexes Concurrently
REINDEX INDEX CONCURRENTLY {index}
