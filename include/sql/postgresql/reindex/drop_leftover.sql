-- purpose: drop an invalid index that a broken off REINDEX CONCURRENTLY left behind
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of the index
-- locks: SHARE UPDATE EXCLUSIVE on table and index (against DDL and VACUUM only); waits for the transactions that use the table
-- licence: none
-- binds: index (identifier: schema and index)
-- columns: none
-- source: PostgreSQL manual, DROP INDEX; REINDEX, Rebuilding Indexes Concurrently
DROP INDEX CONCURRENTLY IF EXISTS {index}
