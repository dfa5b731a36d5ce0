-- purpose: tell how one index is at this moment
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_INDEXES
-- locks: none
-- licence: none
-- binds: owner (of the index), name (index)
-- columns: table_owner (schema), table_name (table), status (VALID, UNUSABLE, N/A where partitioned), degree (number or DEFAULT, with blanks), logging (YES, NO, null where partitioned), num_rows (entries, statistics), leaf_blocks (statistics), blevel (statistics), clustering_factor (statistics), last_analyzed (local time of the host)
-- source: Database Reference 19c, DBA_INDEXES
SELECT
    i.table_owner AS table_owner,
    i.table_name AS table_name,
    i.status AS status,
    i.degree AS degree,
    i.logging AS logging,
    i.num_rows AS num_rows,
    i.leaf_blocks AS leaf_blocks,
    i.blevel AS blevel,
    i.clustering_factor AS clustering_factor,
    i.last_analyzed AS last_analyzed
FROM dba_indexes i
WHERE i.owner = :owner
AND i.index_name = :name
