-- purpose: keep a table from being emptied, dropped or written anew while the picture of the source lives; readers and writers go on
-- kind: session
-- engine: postgresql 14-19
-- privileges: SELECT on the table
-- locks: ACCESS SHARE on the table until the transaction ends
-- licence: none
-- binds: table (schema and name)
-- columns: none
-- source: PostgreSQL manual, LOCK; Explicit Locking; pg_dump locks its tables in the same way
LOCK TABLE {table} IN ACCESS SHARE MODE
