-- purpose: let a sequence of the copy go past the rows of a column that takes its values from it
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: ACCESS SHARE on the table
-- licence: none
-- binds: column (identifier: the column), table (identifier: the table), sequence (schema and name, quoted)
-- columns: value (newest value taken; no row: nothing to go past)
-- source: PostgreSQL manual, Sequence Manipulation Functions, pg_sequence
SELECT pg_catalog.setval(
    s.seqrelid::pg_catalog.regclass,
    CASE
        WHEN s.seqincrement > 0 THEN least(s.seqmax, greatest(d.furthest, coalesce(pg_catalog.pg_sequence_last_value(s.seqrelid), s.seqmin)))
        ELSE greatest(s.seqmin, least(d.furthest, coalesce(pg_catalog.pg_sequence_last_value(s.seqrelid), s.seqmax)))
    END::bigint,
    true
) AS value
FROM pg_catalog.pg_sequence AS s
CROSS JOIN LATERAL (
    SELECT CASE WHEN s.seqincrement > 0 THEN floor(max({column}::numeric)) ELSE ceil(min({column}::numeric)) END AS furthest FROM {table}
) AS d
WHERE s.seqrelid = %(sequence)s::pg_catalog.regclass
    AND CASE WHEN s.seqincrement > 0 THEN d.furthest >= s.seqmin ELSE d.furthest <= s.seqmax END
