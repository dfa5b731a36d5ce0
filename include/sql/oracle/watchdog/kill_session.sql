-- purpose: end a session whose statement cannot be cancelled alone
-- kind: change
-- engine: oracle 11.2-23
-- privileges: ALTER SYSTEM
-- locks: none
-- licence: none
-- binds: session (literal: sid, serial, @instance)
-- columns: none
-- source: SQL Language Reference 19c, ALTER SYSTEM, end_session_clauses
ALTER SYSTEM KILL SESSION {session} IMMEDIATE
