-- purpose: cancel the statement that a session is running and leave the session alive; with the SQL_ID no other statement is hit
-- kind: change
-- engine: oracle 18-23
-- privileges: ALTER SYSTEM
-- locks: none
-- licence: none
-- binds: session (literal: sid, serial, @instance, SQL_ID)
-- columns: none
-- source: SQL Language Reference 19c, ALTER SYSTEM, cancel_sql_clause
ALTER SYSTEM CANCEL SQL {session}
