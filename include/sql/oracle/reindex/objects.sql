-- purpose: tell what identifies an index and each of its pieces at this moment
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_OBJECTS
-- locks: none
-- licence: none
-- binds: owner (of the index), name (index)
-- columns: partition (or null), object_id (stays the same), data_object_id (new with every rebuild), age_days (since it was made)
-- source: Database Reference 19c, DBA_OBJECTS
SELECT
    o.subobject_name AS partition,
    o.object_id AS object_id,
    o.data_object_id AS data_object_id,
    ROUND(SYSDATE - o.created, 1) AS age_days
FROM dba_objects o
WHERE o.owner = :owner
AND o.object_name = :name
AND o.object_type IN ('INDEX', 'INDEX PARTITION', 'INDEX SUBPARTITION')
