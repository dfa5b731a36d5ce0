-- purpose: choose the index whose columns name a row for certain: the primary key, else a unique index without null
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE FUNCTION
CREATE FUNCTION drydock_reclaim.key_of(p_table oid) RETURNS oid
-- in this language its plan is kept: it is asked many times, and planning it costs milliseconds
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN (
        SELECT i.indexrelid
        FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'
        WHERE i.indrelid = p_table AND i.indisunique AND i.indisvalid AND NOT i.indisexclusion
            AND i.indpred IS NULL AND i.indexprs IS NULL
            AND NOT EXISTS (
                SELECT FROM pg_attribute a
                WHERE a.attrelid = i.indrelid AND NOT a.attnotnull
                    AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
            )
            -- equal must mean what it means to DISTINCT, which takes the default operator of the type
            AND NOT EXISTS (
                SELECT FROM unnest((i.indclass::oid[])[0:i.indnkeyatts - 1]) AS u (opclass)
                JOIN pg_opclass o ON o.oid = u.opclass
                JOIN pg_amop e ON e.amopfamily = o.opcfamily AND e.amoplefttype = o.opcintype
                    AND e.amoprighttype = o.opcintype AND e.amopstrategy = 3
                WHERE NOT EXISTS (
                    SELECT FROM pg_opclass d
                    JOIN pg_amop f ON f.amopfamily = d.opcfamily AND f.amoplefttype = d.opcintype
                        AND f.amoprighttype = d.opcintype AND f.amopstrategy = 3
                    WHERE d.opcdefault AND d.opcmethod = o.opcmethod AND d.opcintype = o.opcintype AND f.amopopr = e.amopopr
                )
            )
        ORDER BY i.indisprimary DESC, i.indimmediate DESC, i.indnkeyatts, i.indexrelid
        LIMIT 1);
END
$$
