-- purpose: begin the transaction whose snapshot is the picture of the source
-- kind: session
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, SET TRANSACTION
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY
