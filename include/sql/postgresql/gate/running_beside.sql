-- purpose: tell what runs now that must not run beside a change: a backup, statistics, maintenance by hand, masking
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: own (process ids of our own sessions), masking_key (key of the advisory lock that masking holds), pgbackrest_key (key of the one that pgBackRest holds)
-- columns: backups (base backups and pgBackRest at work), statistics (ANALYZE by hand), maintenance (VACUUM by hand, CLUSTER, building of indexes, in this database), masking (1: the lock of masking is held)
-- source: PostgreSQL manual, Progress Reporting; System Views: pg_locks (halves of a 64-bit advisory key); pgBackRest, db.h: PG_BACKUP_ADVISORY_LOCK
WITH advisory AS (
    SELECT (l.classid::bigint << 32) | l.objid::bigint AS key
    FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
),
by_hand AS (
    SELECT a.pid
    FROM pg_stat_activity AS a
    WHERE a.datname = current_database() AND a.pid <> ALL (%(own)s) AND coalesce(a.backend_type, '') <> 'autovacuum worker'
)
SELECT
    (SELECT count(*) FROM pg_stat_progress_basebackup)
    + (SELECT count(*) FROM advisory WHERE advisory.key = %(pgbackrest_key)s::bigint) AS backups,
    (SELECT count(*) FROM pg_stat_progress_analyze AS p JOIN by_hand USING (pid)) AS statistics,
    (SELECT count(*) FROM pg_stat_progress_vacuum AS p JOIN by_hand USING (pid))
    + (SELECT count(*) FROM pg_stat_progress_cluster AS p JOIN by_hand USING (pid))
    + (SELECT count(*) FROM pg_stat_progress_create_index AS p JOIN by_hand USING (pid)) AS maintenance,
    (SELECT count(*) FROM advisory WHERE advisory.key = %(masking_key)s::bigint) AS masking
