-- purpose: copy all rows of a table into its copy, by one statement
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: ACCESS SHARE on the table
-- licence: none
-- binds: table (oid of the table)
-- columns: none
-- source: PostgreSQL manual, INSERT
SELECT drydock_reclaim.copy_pages(%(table)s::oid, NULL, NULL)
