-- purpose: list the extents of a table and its partitions; asked after the SCN was taken
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_EXTENTS
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: partition (null: the table itself), relative_file (number as in a ROWID; 1024: a bigfile tablespace), block (first), blocks (how many), bytes (size)
-- source: Database Reference 19c, DBA_EXTENTS
SELECT
    e.partition_name AS partition,
    e.relative_fno AS relative_file,
    e.block_id AS block,
    e.blocks AS blocks,
    e.bytes AS bytes
FROM dba_extents e
WHERE e.owner = :owner
AND e.segment_name = :name
AND e.segment_type IN ('TABLE', 'TABLE PARTITION', 'TABLE SUBPARTITION')
ORDER BY e.partition_name, e.extent_id
