-- purpose: list the columns of all tables of one schema, hidden and virtual ones too
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_TAB_COLS, SELECT ON SYS.DBA_COL_COMMENTS
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: table_name (table), name (column), position (in the segment's order), type (data type as the dictionary writes it), type_owner (null: a built-in type), length (bytes), precision (digits), scale (digits after the point), nullable (Y, N), default_expression (of a virtual column what it is made of), char_length (characters), char_used (B bytes, C characters), is_virtual (YES, NO), is_hidden (YES, NO), comments (text of the comment)
-- source: Database Reference 19c, DBA_TAB_COLS, DBA_COL_COMMENTS
SELECT
    c.table_name AS table_name,
    c.column_name AS name,
    c.internal_column_id AS position,
    c.data_type AS type,
    c.data_type_owner AS type_owner,
    c.data_length AS length,
    c.data_precision AS precision,
    c.data_scale AS scale,
    c.nullable AS nullable,
    c.data_default AS default_expression,
    c.char_length AS char_length,
    c.char_used AS char_used,
    c.virtual_column AS is_virtual,
    c.hidden_column AS is_hidden,
    m.comments AS comments
FROM dba_tab_cols c
LEFT JOIN dba_col_comments m ON m.owner = c.owner AND m.table_name = c.table_name AND m.column_name = c.column_name
WHERE c.owner = :owner
ORDER BY c.table_name, c.internal_column_id
