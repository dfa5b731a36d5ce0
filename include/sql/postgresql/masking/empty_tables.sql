-- purpose: empty the tables of an unfinished copy for a new picture of the source
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: ACCESS EXCLUSIVE on tables that nobody else can see
-- licence: none
-- binds: tables (identifiers: the tables, all in one go)
-- columns: none
-- source: PostgreSQL manual, TRUNCATE
TRUNCATE {tables}
