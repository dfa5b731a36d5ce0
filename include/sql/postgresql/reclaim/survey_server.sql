-- purpose: tell what a survey of tables stands on: the server, the extension that measures, and what stands in the way of every copy
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: server_version_num (server_version_num), block_bytes (size of a page), has_pgstattuple (pgstattuple_approx of the extension is what its name finds, and may be run), may_create (we may make schemas here), event_triggers (enabled event triggers that belong to no extension), publications_of_all (publications that publish every table), repack_slots (replication slots that REPACK may make; 0 before PostgreSQL 19 and under wal_level minimal)
-- source: PostgreSQL manual, Event Triggers; pgstattuple
SELECT
    current_setting('server_version_num')::int AS server_version_num,
    current_setting('block_size')::int AS block_bytes,
    -- a function of the same name that does not belong to the extension is a stranger's, and is not run
    EXISTS (
        SELECT FROM pg_depend AS d
        JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'pgstattuple'
        WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
            AND d.objid = to_regprocedure('pgstattuple_approx(regclass)') AND has_function_privilege(d.objid, 'EXECUTE')
    ) AS has_pgstattuple,
    has_database_privilege(current_database(), 'CREATE') AS may_create,
    (
        SELECT count(*) FROM pg_event_trigger AS t
        WHERE t.evtenabled <> 'D' AND t.evtevent <> 'login' AND NOT EXISTS (
            SELECT FROM pg_depend AS d
            WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = t.oid AND d.deptype = 'e'
        )
    ) AS event_triggers,
    (SELECT count(*) FROM pg_publication WHERE puballtables) AS publications_of_all,
    CASE WHEN current_setting('wal_level') = 'minimal' THEN 0
        ELSE coalesce(current_setting('max_repack_replication_slots', true)::int, 0) END AS repack_slots
