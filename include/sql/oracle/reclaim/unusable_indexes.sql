-- purpose: name the unusable indexes of one table, with their partitions and subpartitions
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_IND_PARTITIONS, SELECT ON SYS.DBA_IND_SUBPARTITIONS, SELECT ON SYS.DBA_INDEXES
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: owner (of the index), name (index), partition (or null), is_sub (YES: a subpartition)
-- source: Database Reference 19c, DBA_IND_PARTITIONS, DBA_IND_SUBPARTITIONS, DBA_INDEXES
SELECT
    i.owner AS owner,
    i.index_name AS name,
    NULL AS partition,
    'NO' AS is_sub
FROM dba_indexes i
WHERE i.table_owner = :owner
AND i.table_name = :name
AND i.status = 'UNUSABLE'
UNION ALL
SELECT
    p.index_owner AS owner,
    p.index_name AS name,
    p.partition_name AS partition,
    'NO' AS is_sub
FROM dba_ind_partitions p
JOIN dba_indexes i ON i.owner = p.index_owner AND i.index_name = p.index_name
WHERE i.table_owner = :owner
AND i.table_name = :name
AND p.status = 'UNUSABLE'
UNION ALL
SELECT
    s.index_owner AS owner,
    s.index_name AS name,
    s.subpartition_name AS partition,
    'YES' AS is_sub
FROM dba_ind_subpartitions s
JOIN dba_indexes i ON i.owner = s.index_owner AND i.index_name = s.index_name
WHERE i.table_owner = :owner
AND i.table_name = :name
AND s.status = 'UNUSABLE'
