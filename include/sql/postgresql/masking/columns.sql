-- purpose: the columns of the tables in scope, with what they may hold and how they get it
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: table_oid (pg_class.oid), name (column), position (from 1, with gaps where columns were dropped), type_oid (pg_type.oid), type (as SQL writes it),
--   type_kind (b base, d domain, e enum, c composite, r range, m multirange, p pseudo), nullable (its own NOT NULL is not set), default_expression (or empty;
--   of a generated column its expression), generated (empty, stored, virtual), identity (empty, always, by default), collation (other than the type's; or empty), comment (or empty)
-- source: PostgreSQL manual, pg_attribute, pg_attrdef, pg_type
SELECT
    c.oid::bigint AS table_oid,
    a.attname::text AS name,
    a.attnum::integer AS position,
    a.atttypid::bigint AS type_oid,
    format_type(a.atttypid, a.atttypmod) AS type,
    t.typtype::text AS type_kind,
    NOT a.attnotnull AS nullable,
    coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS default_expression,
    CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' ELSE '' END AS generated,
    CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' ELSE '' END AS identity,
    CASE WHEN a.attcollation <> t.typcollation THEN l.collname::text ELSE '' END AS collation,
    coalesce(col_description(c.oid, a.attnum), '') AS comment
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
WHERE
    n.nspname = ANY(%(schemas)s)
    AND c.relkind IN ('r', 'p', 'f')
    AND NOT c.relispartition
ORDER BY c.oid, a.attnum
