-- purpose: tell the redo threads, and how many of their groups wait to be archived
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT V_$THREAD, SELECT V_$LOG
-- locks: none
-- licence: none
-- binds: none
-- columns: thread (THREAD#), status (OPEN or CLOSED), enabled (DISABLED, PRIVATE or PUBLIC), sequence_number (of the current log, not archived yet), last_redo_at (local time of the last redo), group_count (redo groups), unarchived_groups (groups not archived, the current one among them)
-- source: Oracle Database Reference 19c, V$THREAD, V$LOG
SELECT
    t.thread# AS thread,
    t.status AS status,
    t.enabled AS enabled,
    t.sequence# AS sequence_number,
    t.last_redo_time AS last_redo_at,
    g.group_count AS group_count,
    g.unarchived_groups AS unarchived_groups
FROM v$thread t
LEFT JOIN (
    SELECT
        l.thread# AS thread,
        COUNT(*) AS group_count,
        SUM(CASE WHEN l.archived = 'NO' THEN 1 ELSE 0 END) AS unarchived_groups
    FROM v$log l
    GROUP BY l.thread#
) g ON g.thread = t.thread#
