-- purpose: name every unusable index, with its partitions and subpartitions
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_IND_PARTITIONS, SELECT ON SYS.DBA_IND_SUBPARTITIONS, SELECT ON SYS.DBA_INDEXES
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the index), name (index), partition (or null)
-- source: Database Reference 19c, DBA_IND_PARTITIONS, DBA_IND_SUBPARTITIONS, DBA_INDEXES
SELECT
    i.owner AS owner,
    i.index_name AS name,
    NULL AS partition
FROM dba_indexes i
WHERE i.status = 'UNUSABLE'
UNION ALL
SELECT
    p.index_owner AS owner,
    p.index_name AS name,
    p.partition_name AS partition
FROM dba_ind_partitions p
WHERE p.status = 'UNUSABLE'
UNION ALL
SELECT
    s.index_owner AS owner,
    s.index_name AS name,
    s.subpartition_name AS partition
FROM dba_ind_subpartitions s
WHERE s.status = 'UNUSABLE'
