-- purpose: some rows of a table, as text, in which kept columns are searched for what looks sensitive
-- kind: read
-- engine: postgresql 14-19
-- privileges: SELECT on the columns
-- locks: ACCESS SHARE on the table
-- licence: none
-- binds: table (schema and name), columns (of the table, quoted), rows (how many)
-- columns: values (of the columns that were asked for, each under its own name)
-- source: PostgreSQL manual, SELECT
SELECT {columns} FROM {table} AS t LIMIT {rows}
