-- purpose: measure how full the pages of one B-tree index are; it reads the whole index
-- kind: read
-- engine: postgresql 14-19
-- privileges: pg_stat_scan_tables, extension pgstattuple
-- locks: ACCESS SHARE on the index, waited for no longer than told
-- licence: none
-- binds: index_oid (the index), lock_wait (longest wait for the lock, with its unit)
-- columns: index_bytes (size), leaf_pages (leaf pages), internal_pages (inner pages), empty_pages (half dead pages), deleted_pages (pages that hold nothing and wait to be used again), density_percent (fill of the leaf pages; null: there are none)
-- source: PostgreSQL manual, pgstattuple
WITH patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', %(lock_wait)s, true) AS lock_wait
)
SELECT
    found.index_size AS index_bytes,
    found.leaf_pages,
    found.internal_pages,
    found.empty_pages,
    found.deleted_pages,
    nullif(found.avg_leaf_density, 'NaN'::float8) AS density_percent
FROM
    patience
    JOIN pg_class AS c ON c.oid = %(index_oid)s AND patience.lock_wait <> ''
    CROSS JOIN LATERAL pgstatindex(c.oid::regclass) AS found
