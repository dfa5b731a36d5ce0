-- purpose: list the invalid indexes of an index's table whose names are those that REINDEX CONCURRENTLY gives while it works
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: schema (schema), index_name (index: its table, where it is still there), table_name (else this table)
-- columns: name (the index), name_bytes (length of its name on the server), is_busy (somebody works on the table's indexes now)
-- source: PostgreSQL manual, REINDEX, Rebuilding Indexes Concurrently
SELECT
    c.relname::text AS name,
    octet_length(c.relname::text) AS name_bytes,
    EXISTS (
        SELECT
        FROM pg_locks AS l
        WHERE
            l.locktype = 'relation' AND l.granted AND l.relation = c.oid AND l.pid IS DISTINCT FROM pg_backend_pid()
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
    )
    OR EXISTS (
        SELECT FROM pg_stat_progress_create_index AS p WHERE p.relid = t.oid AND p.datname = current_database()
    ) AS is_busy
FROM
    pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_class AS t ON t.oid = i.indrelid
    JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE
    n.nspname = %(schema)s
    AND t.oid = coalesce(
        (
            SELECT own.indrelid
            FROM pg_index AS own JOIN pg_class AS named ON named.oid = own.indexrelid
            WHERE named.relnamespace = n.oid AND named.relname = %(index_name)s
        ),
        (SELECT named.oid FROM pg_class AS named WHERE named.relnamespace = n.oid AND named.relname = %(table_name)s)
    )
    AND NOT i.indisvalid
    AND c.relkind = 'i'
    AND c.relname ~ '_cc(new|old)[0-9]*$'
ORDER BY c.relname
