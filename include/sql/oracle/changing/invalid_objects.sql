-- purpose: name every invalid object
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_OBJECTS
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (schema), name (object), type (PACKAGE BODY, VIEW, ...)
-- source: Database Reference 19c, DBA_OBJECTS
SELECT
    o.owner AS owner,
    o.object_name AS name,
    o.object_type AS type
FROM dba_objects o
WHERE o.status = 'INVALID'
