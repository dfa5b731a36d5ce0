-- purpose: name the tables that hold a materialized view
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_MVIEWS
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the container), name (the container)
-- source: Database Reference 19c, DBA_MVIEWS
SELECT
    m.owner AS owner,
    m.container_name AS name
FROM dba_mviews m
