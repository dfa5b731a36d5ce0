-- purpose: tell how long the oldest open transaction of others has lasted, and how many sessions wait for another one
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.GV_$SESSION, SELECT ON SYS.GV_$TRANSACTION
-- locks: none
-- licence: none
-- binds: none
-- columns: oldest_transaction_s (seconds, on any instance, this session not counted; null: none is open), waiting_sessions (sessions that another one blocks, on any instance)
-- source: Database Reference 19c, V$TRANSACTION (START_DATE, SES_ADDR), V$SESSION (BLOCKING_SESSION_STATUS)
SELECT
    (
        SELECT max((SYSDATE - t.start_date) * 86400)
        FROM gv$transaction t, gv$session s
        WHERE
            s.inst_id = t.inst_id
            AND s.saddr = t.ses_addr
            AND (
                s.sid <> to_number(sys_context('USERENV', 'SID'))
                OR s.inst_id <> to_number(sys_context('USERENV', 'INSTANCE'))
            )
    ) AS oldest_transaction_s,
    (SELECT count(*) FROM gv$session w WHERE w.blocking_session_status = 'VALID') AS waiting_sessions
FROM dual
