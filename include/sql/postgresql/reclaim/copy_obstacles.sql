-- purpose: find what keeps tables from being copied: each line is one table and one reason
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: tables (oids), default_bytes (a default partition beside it may be this large: attaching reads it under the lock)
-- columns: table_oid (oid), reason (message code, the first by name), reasons (how many different ones)
-- source: PostgreSQL manual, pg_depend; pg_constraint; ALTER TABLE (ATTACH PARTITION, SET SCHEMA); ALTER PUBLICATION
WITH RECURSIVE wanted AS (
    SELECT c.oid, c.reltype, c.relrowsecurity, c.relispartition, c.reloftype
    FROM pg_class AS c
    WHERE c.oid = ANY (%(tables)s::oid[])
), uses (table_oid, classid, objid) AS (
    -- what is evaluated when a row comes into the copy: checks, generated columns, types, indexes, the bounds of a partition
    SELECT w.oid, 'pg_class'::regclass::oid, w.oid FROM wanted AS w
    UNION
    SELECT w.oid, 'pg_class'::regclass, a.relid FROM wanted AS w CROSS JOIN LATERAL pg_partition_ancestors(w.oid) AS a
    UNION
    SELECT w.oid, 'pg_class'::regclass, i.indexrelid FROM wanted AS w JOIN pg_index AS i ON i.indrelid = w.oid
    UNION
    SELECT w.oid, 'pg_constraint'::regclass, k.oid FROM wanted AS w JOIN pg_constraint AS k ON k.conrelid = w.oid
    WHERE k.contype <> 'f'
    UNION
    SELECT w.oid, 'pg_attrdef'::regclass, e.oid FROM wanted AS w
    JOIN pg_attrdef AS e ON e.adrelid = w.oid
    JOIN pg_attribute AS a ON a.attrelid = e.adrelid AND a.attnum = e.adnum AND a.attgenerated <> ''
    UNION
    SELECT u.table_oid, n.classid, n.objid
    FROM uses AS u
    CROSS JOIN LATERAL (
        SELECT d.refclassid AS classid, d.refobjid AS objid FROM pg_depend AS d
        WHERE d.classid = u.classid AND d.objid = u.objid AND d.refclassid IN (
            'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass, 'pg_opclass'::regclass, 'pg_class'::regclass
        )
        UNION ALL
        SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint AS k
        WHERE u.classid = 'pg_type'::regclass AND k.contypid = u.objid
        UNION ALL
        SELECT 'pg_class'::regclass, t.typrelid FROM pg_type AS t
        WHERE u.classid = 'pg_type'::regclass AND t.oid = u.objid AND t.typrelid <> 0
        UNION ALL
        SELECT 'pg_proc'::regclass, s.amproc::oid FROM pg_opclass AS o
        JOIN pg_amproc AS s ON s.amprocfamily = o.opcfamily
        WHERE u.classid = 'pg_opclass'::regclass AND o.oid = u.objid
        UNION ALL
        SELECT 'pg_operator'::regclass, e.amopopr FROM pg_opclass AS o
        JOIN pg_amop AS e ON e.amopfamily = o.opcfamily
        WHERE u.classid = 'pg_opclass'::regclass AND o.oid = u.objid
    ) AS n
), found AS (
    SELECT w.oid, 'no_key' AS reason FROM wanted AS w
    WHERE NOT EXISTS (
        SELECT FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indexrelid
        JOIN pg_am AS m ON m.oid = c.relam AND m.amname = 'btree'
        WHERE i.indrelid = w.oid AND i.indisunique AND i.indisvalid AND NOT i.indisexclusion
            AND i.indpred IS NULL AND i.indexprs IS NULL
            AND NOT EXISTS (
                SELECT FROM pg_attribute AS a
                WHERE a.attrelid = i.indrelid AND NOT a.attnotnull
                    AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
            )
            -- equal must mean what it means to DISTINCT, which takes the default operator of the type
            AND NOT EXISTS (
                SELECT FROM unnest((i.indclass::oid[])[0:i.indnkeyatts - 1]) AS u (opclass)
                JOIN pg_opclass AS o ON o.oid = u.opclass
                JOIN pg_amop AS e ON e.amopfamily = o.opcfamily AND e.amoplefttype = o.opcintype
                    AND e.amoprighttype = o.opcintype AND e.amopstrategy = 3
                WHERE NOT EXISTS (
                    SELECT FROM pg_opclass AS d
                    JOIN pg_amop AS f ON f.amopfamily = d.opcfamily AND f.amoplefttype = d.opcintype
                        AND f.amoprighttype = d.opcintype AND f.amopstrategy = 3
                    WHERE d.opcdefault AND d.opcmethod = o.opcmethod AND d.opcintype = o.opcintype AND f.amopopr = e.amopopr
                )
            )
    )
    UNION ALL
    SELECT w.oid, 'row_security_hides' FROM wanted AS w WHERE row_security_active(w.oid)
    UNION ALL
    SELECT w.oid, 'typed_table' FROM wanted AS w WHERE w.reloftype <> 0
    UNION ALL
    SELECT w.oid, 'inheritance' FROM wanted AS w
    WHERE EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhparent = w.oid OR (i.inhrelid = w.oid AND NOT w.relispartition))
    UNION ALL
    SELECT i.indrelid, 'invalid_index' FROM pg_index AS i JOIN wanted AS w ON w.oid = i.indrelid
    WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
    UNION ALL
    SELECT k.conrelid, 'constraint_not_valid' FROM pg_constraint AS k JOIN wanted AS w ON w.oid = k.conrelid
    WHERE k.contype IN ('c', 'n') AND (NOT k.convalidated OR pg_get_constraintdef(k.oid) LIKE '%% NOT ENFORCED')
    UNION ALL
    SELECT w.oid, 'partition_foreign_key' FROM wanted AS w JOIN pg_constraint AS k ON w.oid IN (k.conrelid, k.confrelid)
    WHERE k.contype = 'f' AND w.relispartition
    UNION ALL
    SELECT w.oid, 'foreign_key_partitioned' FROM wanted AS w JOIN pg_constraint AS k ON w.oid IN (k.conrelid, k.confrelid)
    WHERE k.contype = 'f' AND NOT w.relispartition AND (
        k.conparentid <> 0
        OR EXISTS (SELECT FROM pg_class AS c WHERE c.oid IN (k.conrelid, k.confrelid) AND (c.relkind <> 'r' OR c.relispartition))
    )
    UNION ALL
    SELECT w.oid, 'foreign_key_not_ours' FROM wanted AS w JOIN pg_constraint AS k ON w.oid IN (k.conrelid, k.confrelid)
    JOIN pg_class AS c ON c.oid IN (k.conrelid, k.confrelid)
    WHERE k.contype = 'f' AND (
        NOT pg_has_role(c.relowner, 'USAGE') OR pg_get_constraintdef(k.oid) LIKE '%% NOT ENFORCED%%'
    )
    UNION ALL
    SELECT d.refobjid, 'views_depend' FROM pg_depend AS d
    JOIN wanted AS w ON w.oid = d.refobjid
    JOIN pg_rewrite AS r ON r.oid = d.objid AND r.ev_class <> w.oid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    UNION ALL
    SELECT w.oid, 'row_type_used' FROM wanted AS w
    JOIN pg_type AS t ON t.oid = w.reltype
    JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray)
    WHERE d.deptype <> 'i' AND NOT (d.classid = 'pg_type'::regclass AND d.objid = t.typarray)
    UNION ALL
    SELECT w.oid, 'something_depends' FROM wanted AS w
    JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = w.oid
    WHERE d.deptype <> 'i' AND d.classid NOT IN (
            'pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_rewrite'::regclass, 'pg_trigger'::regclass,
            'pg_statistic_ext'::regclass, 'pg_publication_rel'::regclass
        )
        AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_index AS i WHERE i.indexrelid = d.objid AND i.indrelid = w.oid))
        AND NOT (d.classid = 'pg_class'::regclass AND d.deptype = 'a' AND EXISTS (
            SELECT FROM pg_class AS c WHERE c.oid = d.objid AND c.relkind = 'S'
        ))
        AND NOT (d.classid = 'pg_policy'::regclass AND EXISTS (SELECT FROM pg_policy AS p WHERE p.oid = d.objid AND p.polrelid = w.oid))
    UNION ALL
    SELECT w.oid, 'something_depends' FROM wanted AS w
    JOIN pg_depend AS s ON s.refclassid = 'pg_class'::regclass AND s.refobjid = w.oid AND s.deptype = 'i'
        AND s.classid = 'pg_class'::regclass
    JOIN pg_class AS q ON q.oid = s.objid AND q.relkind = 'S'
    JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = q.oid AND d.deptype = 'n'
    UNION ALL
    SELECT w.oid, 'security_label' FROM wanted AS w
    JOIN pg_seclabel AS l ON l.classoid = 'pg_class'::regclass AND l.objoid = w.oid
    UNION ALL
    SELECT w.oid, 'grant_by_other' FROM wanted AS w
    JOIN pg_class AS c ON c.oid = w.oid
    CROSS JOIN LATERAL (
        SELECT e.grantor FROM aclexplode(c.relacl) AS e
        UNION ALL
        SELECT e.grantor FROM pg_attribute AS a CROSS JOIN LATERAL aclexplode(a.attacl) AS e WHERE a.attrelid = w.oid
    ) AS g
    WHERE g.grantor <> c.relowner
    UNION ALL
    SELECT w.oid, 'subscribed' FROM wanted AS w JOIN pg_subscription_rel AS r ON r.srrelid = w.oid
    UNION ALL
    SELECT w.oid, 'of_extension' FROM wanted AS w
    JOIN pg_trigger AS t ON t.tgrelid = w.oid
    JOIN pg_depend AS d ON d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.deptype = 'x'
    UNION ALL
    SELECT w.oid, 'of_extension' FROM wanted AS w
    JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype IN ('e', 'x')
    WHERE d.objid = w.oid OR EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = w.oid AND i.indexrelid = d.objid)
    UNION ALL
    SELECT w.oid, 'default_partition' FROM wanted AS w
    JOIN pg_inherits AS i ON i.inhrelid = w.oid
    JOIN pg_partitioned_table AS p ON p.partrelid = i.inhparent AND p.partdefid NOT IN (0, w.oid)
    WHERE w.relispartition AND pg_relation_size(p.partdefid) > %(default_bytes)s
    UNION ALL
    SELECT w.oid, 'parent_not_ours' FROM wanted AS w
    JOIN pg_inherits AS i ON i.inhrelid = w.oid
    JOIN pg_class AS p ON p.oid = i.inhparent
    WHERE w.relispartition AND NOT pg_has_role(p.relowner, 'USAGE')
    UNION ALL
    -- it would run with our rights, and whoever owns it decides what it does. Members of an extension are no exception: the
    -- owner of an extension may add his own functions to it
    SELECT u.table_oid, 'runs_foreign_code' FROM uses AS u
    JOIN pg_proc AS f ON u.classid = 'pg_proc'::regclass AND f.oid = u.objid
    JOIN pg_roles AS r ON r.oid = f.proowner
    WHERE NOT r.rolsuper AND r.rolname <> current_user
    UNION ALL
    SELECT w.oid, 'schema_not_ours' FROM wanted AS w
    JOIN pg_class AS c ON c.oid = w.oid
    WHERE NOT has_schema_privilege(c.relnamespace, 'CREATE') OR EXISTS (
        SELECT FROM pg_statistic_ext AS s WHERE s.stxrelid = w.oid AND NOT has_schema_privilege(s.stxnamespace, 'CREATE')
    )
    UNION ALL
    SELECT w.oid, 'publication_not_ours' FROM wanted AS w
    JOIN pg_publication_rel AS l ON l.prrelid = w.oid
    JOIN pg_publication AS b ON b.oid = l.prpubid
    WHERE NOT pg_has_role(b.pubowner, 'USAGE')
)
SELECT found.oid AS table_oid, min(found.reason) AS reason, count(DISTINCT found.reason) AS reasons
FROM found
GROUP BY found.oid
