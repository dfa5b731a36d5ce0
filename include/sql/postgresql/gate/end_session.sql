-- purpose: end a session of the same account whose statement did not stop when it was cancelled
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT for sessions of the same account
-- locks: none
-- licence: none
-- binds: pid (process id of the session)
-- columns: is_sent (true: the signal was sent)
-- source: PostgreSQL manual, System Administration Functions: Server Signaling Functions
SELECT pg_terminate_backend(%(pid)s) AS is_sent
