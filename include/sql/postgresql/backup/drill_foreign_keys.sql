-- purpose: list the foreign keys that one table promises to keep, with their columns and comparison operators
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: oid (object id of the table)
-- columns: name (constraint), parent_schema, parent_table, child_columns (array), parent_columns (array), operator_schemas (array), operators (array: parent operator child)
-- source: PostgreSQL manual, System Catalogs: pg_constraint (conpfeqop); not validated, not enforced and temporal keys promise something else
SELECT
    k.conname::text AS name,
    n.nspname::text AS parent_schema,
    p.relname::text AS parent_table,
    pairs.child_columns,
    pairs.parent_columns,
    pairs.operator_schemas,
    pairs.operators
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS p ON p.oid = k.confrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.relnamespace
CROSS JOIN LATERAL (
    SELECT
        array_agg(ca.attname::text ORDER BY u.place) AS child_columns,
        array_agg(pa.attname::text ORDER BY u.place) AS parent_columns,
        array_agg(opn.nspname::text ORDER BY u.place) AS operator_schemas,
        array_agg(o.oprname::text ORDER BY u.place) AS operators
    FROM unnest(k.conkey, k.confkey, k.conpfeqop) WITH ORDINALITY AS u (child, parent, operator, place)
    JOIN pg_catalog.pg_attribute AS ca ON ca.attrelid = k.conrelid AND ca.attnum = u.child
    JOIN pg_catalog.pg_attribute AS pa ON pa.attrelid = k.confrelid AND pa.attnum = u.parent
    JOIN pg_catalog.pg_operator AS o ON o.oid = u.operator
    JOIN pg_catalog.pg_namespace AS opn ON opn.oid = o.oprnamespace
) AS pairs
WHERE k.conrelid = %(oid)s
  AND k.contype = 'f'
  AND k.convalidated
  AND coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true'
  AND coalesce(to_jsonb(k) ->> 'conperiod', 'false') = 'false'
  AND NOT EXISTS (
      SELECT 1 FROM pg_catalog.pg_constraint AS whole WHERE whole.oid = k.conparentid AND whole.conrelid = k.conrelid
  )
ORDER BY k.conname
