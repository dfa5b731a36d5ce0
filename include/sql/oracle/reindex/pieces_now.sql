-- purpose: tell how each partition and subpartition of one index is at this moment
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_IND_PARTITIONS, SELECT ON SYS.DBA_IND_SUBPARTITIONS
-- locks: none
-- licence: none
-- binds: owner (of the index), name (index)
-- columns: owner (of the index), name (index), partition (partition or subpartition), is_sub (YES, NO), compression (ENABLED, DISABLED, ...), tablespace (name), pct_free (percent), status (USABLE, UNUSABLE), logging (YES, NO), num_rows (entries, statistics), leaf_blocks (statistics), blevel (statistics), clustering_factor (statistics), last_analyzed (local time of the host)
-- source: Database Reference 19c, DBA_IND_PARTITIONS, DBA_IND_SUBPARTITIONS
SELECT
    p.index_owner AS owner,
    p.index_name AS name,
    p.partition_name AS partition,
    'NO' AS is_sub,
    p.compression AS compression,
    p.tablespace_name AS tablespace,
    p.pct_free AS pct_free,
    p.status AS status,
    p.logging AS logging,
    p.num_rows AS num_rows,
    p.leaf_blocks AS leaf_blocks,
    p.blevel AS blevel,
    p.clustering_factor AS clustering_factor,
    p.last_analyzed AS last_analyzed
FROM dba_ind_partitions p
WHERE p.composite = 'NO'
AND p.index_owner = :owner
AND p.index_name = :name
UNION ALL
SELECT
    s.index_owner AS owner,
    s.index_name AS name,
    s.subpartition_name AS partition,
    'YES' AS is_sub,
    s.compression AS compression,
    s.tablespace_name AS tablespace,
    s.pct_free AS pct_free,
    s.status AS status,
    s.logging AS logging,
    s.num_rows AS num_rows,
    s.leaf_blocks AS leaf_blocks,
    s.blevel AS blevel,
    s.clustering_factor AS clustering_factor,
    s.last_analyzed AS last_analyzed
FROM dba_ind_subpartitions s
WHERE s.index_owner = :owner
AND s.index_name = :name
