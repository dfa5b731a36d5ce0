-- purpose: the indexes of the tables in scope; parts of a partitioned index are left out, an index that only a partition has is told of its root
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: table_oid (of the table or of the partition's root), name (index), is_unique (unique), is_of_constraint (made by a constraint), columns (names of the key; of an expression null), used_columns (names
--   that expressions and predicate use, too), predicate (of a partial index; or empty), nulls_distinct (two NULLs differ), method (btree, gin, ...), definition (as SQL writes it), is_of_partition (only one partition has it)
-- source: PostgreSQL manual, pg_index, pg_depend
SELECT
    coalesce(pg_partition_root(i.indrelid), i.indrelid)::oid::bigint AS table_oid,
    x.relname::text AS name,
    i.indisunique AS is_unique,
    EXISTS (SELECT 1 FROM pg_constraint AS con WHERE con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x')) AS is_of_constraint,
    ARRAY(
        SELECT a.attname::text
        FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (number, place)
        LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
        WHERE k.place <= i.indnkeyatts
        ORDER BY k.place
    ) AS columns,
    ARRAY(
        SELECT DISTINCT a.attname::text
        FROM pg_depend AS d
        JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refclassid = 'pg_class'::regclass
            AND d.refobjid = i.indrelid AND d.refobjsubid > 0
        ORDER BY 1
    ) AS used_columns,
    coalesce(pg_get_expr(i.indpred, i.indrelid), '') AS predicate,
    coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') = 'false' AS nulls_distinct,
    am.amname::text AS method,
    pg_get_indexdef(i.indexrelid) AS definition,
    c.relispartition AS is_of_partition
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_class AS x ON x.oid = i.indexrelid
JOIN pg_am AS am ON am.oid = x.relam
JOIN pg_class AS root ON root.oid = coalesce(pg_partition_root(c.oid), c.oid)
JOIN pg_namespace AS n ON n.oid = root.relnamespace
WHERE
    n.nspname = ANY(%(schemas)s)
    AND c.relkind IN ('r', 'p')
    AND NOT x.relispartition
ORDER BY 1, x.relname
