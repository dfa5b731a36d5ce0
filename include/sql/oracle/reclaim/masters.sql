-- purpose: name the tables that materialized views are made from, and when these are refreshed
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_MVIEW_DETAIL_RELATIONS, SELECT ON SYS.DBA_MVIEWS
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the master), name (the master), refresh_mode (DEMAND, COMMIT, NEVER)
-- source: Database Reference 19c, DBA_MVIEW_DETAIL_RELATIONS, DBA_MVIEWS
SELECT DISTINCT
    r.detailobj_owner AS owner,
    r.detailobj_name AS name,
    m.refresh_mode AS refresh_mode
FROM dba_mview_detail_relations r
JOIN dba_mviews m ON m.owner = r.owner AND m.mview_name = r.mview_name
WHERE r.detailobj_type = 'TABLE'
