-- purpose: say whether columns of one table are missing or have another type than they should
-- kind: read
-- engine: postgresql 14-19
-- privileges: USAGE on the schema
-- locks: ACCESS SHARE for a moment
-- licence: none
-- binds: relation (literal: quoted name of the table), columns (literals: name and type of each column)
-- columns: found (how many columns differ; no row where none does)
-- source: PostgreSQL manual, System Catalogs: pg_attribute; System Information Functions: format_type
SELECT a.found
FROM (
    SELECT count(*) AS found
    FROM (VALUES {columns}) AS w (name, type)
    LEFT JOIN pg_attribute AS c ON c.attrelid = {relation}::regclass AND c.attname = w.name AND NOT c.attisdropped
    WHERE c.attname IS NULL OR format_type(c.atttypid, c.atttypmod) <> w.type
) AS a
WHERE a.found > 0
