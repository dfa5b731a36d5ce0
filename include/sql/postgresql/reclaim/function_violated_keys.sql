-- purpose: name the foreign keys of a table, both ways, that hold for the catalogue but not for the rows
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none until it is called
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE TABLE (REFERENCES, MATCH FULL; PERIOD, from 18 on); pg_constraint; Aggregate Functions (range_agg)
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
                CASE WHEN r.attcollation <> f.attcollation THEN ' COLLATE ' || r.attcollation::regcollation ELSE '' END), ' AND ') AS is_met,
            max(f.attname) FILTER (WHERE u.number = cardinality(k.conkey)) AS period_from,
            max(r.attname) FILTER (WHERE u.number = cardinality(k.conkey)) AS period_to,
            to_jsonb(k) ->> 'conperiod' IS NOT DISTINCT FROM 'true' AS is_period -- no such column before PostgreSQL 18
        FROM pg_constraint k
        CROSS JOIN LATERAL unnest(k.conkey, k.confkey, k.conpfeqop) WITH ORDINALITY AS u (from_column, to_column, operator, number)
        JOIN pg_attribute f ON f.attrelid = k.conrelid AND f.attnum = u.from_column
        JOIN pg_attribute r ON r.attrelid = k.confrelid AND r.attnum = u.to_column
        JOIN pg_operator o ON o.oid = u.operator
        JOIN pg_namespace n ON n.oid = o.oprnamespace
        WHERE k.contype = 'f' AND p_table IN (k.conrelid, k.confrelid) AND k.convalidated AND k.conparentid = 0
            AND NOT row_security_active(k.conrelid) AND NOT row_security_active(k.confrelid)
        GROUP BY k.oid, k.conrelid, k.confrelid, k.conname, k.confmatchtype, is_period
        ORDER BY k.oid
    LOOP
        IF one.is_period THEN
            -- the last column is a period: the periods that it overlaps (is_met) must cover it, all of them together
            EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s AS f WHERE (%s) AND '
                '((SELECT range_agg(r.%I) FROM ONLY %s AS r WHERE %s) OPERATOR(pg_catalog.@>) f.%I) IS NOT TRUE)',
                one.referencing, one.is_told, one.period_to, one.referenced, one.is_met, one.period_from) INTO is_violated;
        ELSE
            EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s AS f WHERE (%s) AND NOT EXISTS (SELECT FROM ONLY %s AS r WHERE %s))',
                one.referencing, one.is_told, one.referenced, one.is_met) INTO is_violated;
        END IF;
        IF is_violated THEN
            found_keys := found_keys || one.told;
        END IF;
    END LOOP;
    RETURN found_keys;
END
$$
