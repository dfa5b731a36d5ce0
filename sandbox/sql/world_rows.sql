-- binds: rows (number of rows to add to each table), seed (makes the texts differ between worlds)
with heads as (
    insert into head (name)
    select 'head ' || md5(%(seed)s::text || g::text) from generate_series(1, %(rows)s) g
    returning id
), lines as (
    insert into line (head_id, line_no, amount)
    select heads.id, n, round((heads.id * n / 7.0)::numeric, 2) from heads, generate_series(1, 2) n
)
insert into t (body)
select md5(%(seed)s::text || g::text) || repeat(' ', 64) from generate_series(1, %(rows)s) g
