-- purpose: copy the rows of some pages of a table into its copy
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: ACCESS SHARE on the table
-- licence: none
-- binds: table (oid of the table), from_page (first page), below_page (page after the last one)
-- columns: none
-- source: PostgreSQL manual, INSERT
SELECT drydock_reclaim.copy_pages(%(table)s::oid, %(from_page)s::bigint, %(below_page)s::bigint)
