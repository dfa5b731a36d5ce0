-- purpose: tell of every index what decides whether it is worth rebuilding
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_INDEXES, SELECT ON SYS.DBA_PART_INDEXES
-- locks: none
-- licence: none
-- binds: none
-- columns: owner (of the index), name (index), table_owner (schema), table_name (table), type (NORMAL, NORMAL/REV, BITMAP, FUNCTION-BASED NORMAL, DOMAIN, IOT - TOP, ...), uniqueness (UNIQUE, NONUNIQUE), partitioned (YES, NO), locality (LOCAL, GLOBAL; null where not partitioned), temporary (Y, N), dropped (YES: in the recycle bin), join_index (YES: a bitmap join index), compression (ENABLED, DISABLED, ...), tablespace (null where partitioned), pct_free (percent, null where partitioned), status (VALID, UNUSABLE, N/A where partitioned), degree (number or DEFAULT, with blanks), logging (YES, NO, null where partitioned), num_rows (entries, statistics), leaf_blocks (statistics), blevel (statistics), clustering_factor (statistics), last_analyzed (local time of the host)
-- source: Database Reference 19c, DBA_INDEXES, DBA_PART_INDEXES
SELECT
    i.owner AS owner,
    i.index_name AS name,
    i.table_owner AS table_owner,
    i.table_name AS table_name,
    i.index_type AS type,
    i.uniqueness AS uniqueness,
    i.partitioned AS partitioned,
    (SELECT MAX(p.locality) FROM dba_part_indexes p WHERE p.owner = i.owner AND p.index_name = i.index_name) AS locality,
    i.temporary AS temporary,
    i.dropped AS dropped,
    i.join_index AS join_index,
    i.compression AS compression,
    i.tablespace_name AS tablespace,
    i.pct_free AS pct_free,
    i.status AS status,
    i.degree AS degree,
    i.logging AS logging,
    i.num_rows AS num_rows,
    i.leaf_blocks AS leaf_blocks,
    i.blevel AS blevel,
    i.clustering_factor AS clustering_factor,
    i.last_analyzed AS last_analyzed
FROM dba_indexes i
WHERE i.index_type <> 'LOB'
