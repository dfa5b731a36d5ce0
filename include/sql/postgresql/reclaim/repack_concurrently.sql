-- purpose: write a table and its indexes anew while others go on
-- kind: change
-- engine: postgresql 19
-- privileges: MAINTAIN on the table; a replication slot of max_repack_replication_slots; an index as replica identity
-- locks: SHARE UPDATE EXCLUSIVE; ACCESS EXCLUSIVE for a moment at the end
-- licence: none
-- binds: table (identifier: the table with its schema)
-- columns: none
-- source: PostgreSQL manual, REPACK
REPACK (CONCURRENTLY) {table}
