-- purpose: give an object the very privileges that another one has, in their order
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, GRANT; System Information Functions (aclexplode)
CREATE FUNCTION drydock_reclaim.grant_like(p_acl aclitem[], p_present aclitem[], p_owner oid, p_on text, p_columns text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT DISTINCT grantee FROM aclexplode(p_present)
        UNION
        SELECT p_owner WHERE p_acl IS NOT NULL AND p_columns = ''
    LOOP
        EXECUTE format('REVOKE ALL %s ON %s FROM %s', p_columns, p_on,
            CASE one.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(one.grantee)) END);
    END LOOP;
    FOR one IN
        SELECT grantee, is_grantable, string_agg(privilege_type || ' ' || p_columns, ', ' ORDER BY place) AS rights
        FROM aclexplode(p_acl) WITH ORDINALITY AS e (grantor, grantee, privilege_type, is_grantable, place)
        GROUP BY grantee, is_grantable
        ORDER BY min(place)
    LOOP
        EXECUTE format('GRANT %s ON %s TO %s%s', one.rights, p_on,
            CASE one.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(one.grantee)) END,
            CASE WHEN one.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END
$$
