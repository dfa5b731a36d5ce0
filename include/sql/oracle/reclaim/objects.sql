-- purpose: tell what identifies a table or LOB and each of its pieces at this moment
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_OBJECTS
-- locks: none
-- licence: none
-- binds: owner (of the object), name (of the object)
-- columns: partition (or null), object_id (stays the same), data_object_id (new with every move, truncation), type (OBJECT_TYPE)
-- source: Database Reference 19c, DBA_OBJECTS
SELECT
    o.subobject_name AS partition,
    o.object_id AS object_id,
    o.data_object_id AS data_object_id,
    o.object_type AS type
FROM dba_objects o
WHERE o.owner = :owner
AND o.object_name = :name
AND o.object_type IN (
    'TABLE', 'TABLE PARTITION', 'TABLE SUBPARTITION', 'LOB', 'LOB PARTITION', 'LOB SUBPARTITION'
)
