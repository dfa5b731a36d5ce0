-- purpose: tell what a survey of indexes stands on: the server, since when its counters count, and what it may look with
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: server_version_num (server_version_num), block_bytes (size of a page), counted_since (since when the counters of this database count, at least), clock_at (server clock), has_pgstattuple (pgstatindex of the extension is what its name finds, and may be run), has_amcheck (the same of bt_index_check)
-- source: PostgreSQL manual, The Cumulative Statistics System; pgstattuple; amcheck
SELECT
    current_setting('server_version_num')::int AS server_version_num,
    current_setting('block_size')::int AS block_bytes,
    -- never set back: they count since the last start at least
    coalesce(pg_stat_get_db_stat_reset_time(here.oid), pg_postmaster_start_time()) AS counted_since,
    clock_timestamp() AS clock_at,
    coalesce(bool_or(extension.extname = 'pgstattuple'), false) AS has_pgstattuple,
    coalesce(bool_or(extension.extname = 'amcheck'), false) AS has_amcheck
FROM
    pg_database AS here
    -- a function of the same name that does not belong to the extension is a stranger's, and is not run
    LEFT JOIN pg_depend AS belongs
        ON belongs.classid = 'pg_proc'::regclass AND belongs.refclassid = 'pg_extension'::regclass AND belongs.deptype = 'e'
        AND belongs.objid IN (to_regprocedure('pgstatindex(regclass)'), to_regprocedure('bt_index_check(regclass,boolean)'))
        AND has_function_privilege(belongs.objid, 'EXECUTE')
    LEFT JOIN pg_extension AS extension ON extension.oid = belongs.refobjid
WHERE here.datname = current_database()
GROUP BY here.oid
