-- purpose: write a table and its indexes anew while others go on
-- kind: change
-- engine: postgresql 19
-- privileges: owner of the table or member of its owner; a free replication slot
-- locks: SHARE UPDATE EXCLUSIVE; ACCESS EXCLUSIVE for a moment at the end
-- licence: none
-- binds: table (identifier: the table with its schema)
-- columns: none
-- source: PostgreSQL manual, REPACK
REPACK (CONCURRENTLY) {table}
