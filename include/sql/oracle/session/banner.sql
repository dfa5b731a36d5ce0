-- purpose: tell the edition, which only the banner names in every version
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.V_$VERSION
-- locks: none
-- licence: none
-- binds: none
-- columns: banner (Oracle Database 19c Enterprise Edition Release ...)
-- source: Database Reference 19c, V$VERSION
SELECT v.banner AS banner
FROM v$version v
WHERE v.banner LIKE 'Oracle%'
