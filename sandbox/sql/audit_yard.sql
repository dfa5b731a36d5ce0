-- The tables and accounts of the office whose days are audited. Everything is made up.
create role trade_owner nologin;
create role staff nologin;
create role application nologin;
create role ops_step nologin;
create role ops_all nologin;
grant ops_all to ops_step;
create schema trade authorization trade_owner;
set role trade_owner;
create table trade.customers (id int primary key, name text not null, id_card text not null, phone text not null);
create table trade.orders (id int primary key generated always as identity, customer int not null, amount numeric(12, 2) not null,
  state text not null default 'new', at timestamptz not null default now());
create table trade.payments (id int primary key generated always as identity, order_id int not null, amount numeric(12, 2) not null);
create table trade.salaries (id int primary key, amount numeric(12, 2) not null);
insert into trade.customers select n, 'name ' || n, '4401' || lpad(n::text, 14, '0'), '139' || lpad(n::text, 8, '0')
  from generate_series(1, 1500) as n;
insert into trade.orders (customer, amount) select 1 + n % 1500, n from generate_series(1, 300) as n;
insert into trade.payments (order_id, amount) select n, n from generate_series(1, 200) as n;
insert into trade.salaries values (1, 1), (2, 2);
reset role;
grant usage on schema trade to staff, application, ops_all;
grant select, insert, update on trade.orders to application;
grant select on trade.customers to application;
grant select on trade.customers, trade.orders, trade.payments to staff;
grant update, delete on trade.orders, trade.payments, trade.customers to staff;
grant all on all tables in schema trade to ops_all;
