-- purpose: let a change of this session last as long as its own deadline says, whatever the database or the role sets
-- kind: session
-- engine: postgresql 17-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, Client Connection Defaults: transaction_timeout (new in 17)
SET transaction_timeout = 0
