-- purpose: bound how long the next statement may wait for a lock; a SET takes no snapshot, so a repeatable read begins after it
-- kind: session
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: milliseconds (whole number, from 1)
-- columns: none
-- source: PostgreSQL manual, Client Connection Defaults: lock_timeout
SET lock_timeout = {milliseconds}
