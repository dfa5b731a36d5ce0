-- purpose: tell what object the ROWIDs of a table and of its partitions name, and when it was last changed
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_OBJECTS
-- locks: none
-- licence: none
-- binds: owner (of the table), name (of the table)
-- columns: partition (null: the table itself), type (TABLE, TABLE PARTITION, TABLE SUBPARTITION), data_object_id (null: it has no segment), changed_at (time of the last DDL)
-- source: Database Reference 19c, DBA_OBJECTS
SELECT
    o.subobject_name AS partition,
    o.object_type AS type,
    o.data_object_id AS data_object_id,
    o.last_ddl_time AS changed_at
FROM dba_objects o
WHERE o.owner = :owner
AND o.object_name = :name
AND o.object_type IN ('TABLE', 'TABLE PARTITION', 'TABLE SUBPARTITION')
ORDER BY o.subobject_name
