-- Changes a run of rows, as a batch job does: psql -v first=1 -v last=100000 -f change_accounts.sql
update pgbench_accounts set abalance = abalance + 1 where aid between :first and :last;
