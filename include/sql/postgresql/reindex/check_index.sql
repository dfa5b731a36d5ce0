-- purpose: check the structure of one valid B-tree index, where asked against every row of its table; what is wrong comes as an error
-- kind: read
-- engine: postgresql 14-19
-- privileges: EXECUTE on bt_index_check(regclass, boolean), extension amcheck
-- locks: ACCESS SHARE on index and table, waited for no longer than told
-- licence: none
-- binds: index_oid (the index), all_rows (also whether each row of the table is in it), lock_wait (longest wait for the lock, with its unit)
-- columns: index_oid (the index, when it is sound; no row: it is not there)
-- source: PostgreSQL manual, amcheck
WITH patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', %(lock_wait)s, true) AS lock_wait
)
SELECT c.oid::bigint AS index_oid
FROM
    patience
    JOIN pg_class AS c ON c.oid = %(index_oid)s AND patience.lock_wait <> ''
    CROSS JOIN LATERAL bt_index_check(c.oid::regclass, %(all_rows)s::boolean)
