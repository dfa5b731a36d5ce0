-- purpose: list the constraints of one schema's tables
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_CONSTRAINTS
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: table_name (table), name (constraint), kind (P, U, R, C), condition (of a check), parent_owner (its schema), parent_key (constraint that a foreign key refers to), deferrable (DEFERRABLE, NOT DEFERRABLE), status (ENABLED, DISABLED), validated (VALIDATED, NOT VALIDATED), delete_rule (CASCADE, SET NULL, NO ACTION), named_by (USER NAME, GENERATED NAME), index_owner (its schema), index_name (index that enforces it)
-- source: Database Reference 19c, DBA_CONSTRAINTS
SELECT
    c.table_name AS table_name,
    c.constraint_name AS name,
    c.constraint_type AS kind,
    c.search_condition AS condition,
    c.r_owner AS parent_owner,
    c.r_constraint_name AS parent_key,
    c.deferrable AS deferrable,
    c.status AS status,
    c.validated AS validated,
    c.delete_rule AS delete_rule,
    c.generated AS named_by,
    c.index_owner AS index_owner,
    c.index_name AS index_name
FROM dba_constraints c
WHERE c.owner = :owner
AND c.constraint_type IN ('P', 'U', 'R', 'C')
ORDER BY c.table_name, c.constraint_name
