-- purpose: name the foreign keys of a table, both ways, that hold for the catalogue but not for the rows
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none until it is called
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE TABLE (REFERENCES, MATCH FULL); pg_constraint
CREATE FUNCTION drydock_reclaim.violated_keys(p_table oid) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET row_security = off
AS $$
DECLARE
    one record;
    is_violated boolean;
    found_keys text[] := '{}';
BEGIN
    FOR one IN
        SELECT k.oid, format('%s: %s', drydock_reclaim.full_name(k.conrelid), k.conname) AS told,
            drydock_reclaim.full_name(k.conrelid) AS referencing, drydock_reclaim.full_name(k.confrelid) AS referenced,
            string_agg(format('f.%I IS NOT NULL', f.attname), CASE k.confmatchtype WHEN 'f' THEN ' OR ' ELSE ' AND ' END) AS is_told,
            string_agg(format('r.%I OPERATOR(%I.%s) f.%I%s', r.attname, n.nspname, o.oprname, f.attname,
                CASE WHEN r.attcollation <> f.attcollation THEN ' COLLATE ' || r.attcollation::regcollation ELSE '' END), ' AND ') AS is_met
        FROM pg_constraint k
        CROSS JOIN LATERAL unnest(k.conkey, k.confkey, k.conpfeqop) AS u (from_column, to_column, operator)
        JOIN pg_attribute f ON f.attrelid = k.conrelid AND f.attnum = u.from_column
        JOIN pg_attribute r ON r.attrelid = k.confrelid AND r.attnum = u.to_column
        JOIN pg_operator o ON o.oid = u.operator
        JOIN pg_namespace n ON n.oid = o.oprnamespace
        WHERE k.contype = 'f' AND p_table IN (k.conrelid, k.confrelid) AND k.convalidated AND k.conparentid = 0
            AND NOT row_security_active(k.conrelid) AND NOT row_security_active(k.confrelid)
            AND to_jsonb(k) ->> 'conperiod' IS DISTINCT FROM 'true' -- from PostgreSQL 18: periods are not compared one by one
        GROUP BY k.oid, k.conrelid, k.confrelid, k.conname, k.confmatchtype
        ORDER BY k.oid
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s AS f WHERE (%s) AND NOT EXISTS (SELECT FROM ONLY %s AS r WHERE %s))',
            one.referencing, one.is_told, one.referenced, one.is_met) INTO is_violated;
        IF is_violated THEN
            found_keys := found_keys || one.told;
        END IF;
    END LOOP;
    RETURN found_keys;
END
$$
