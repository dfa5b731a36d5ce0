"""Holds a file of include/sql/oracle against the dictionary: every name, LONG columns, binds, columns, grants, licence.

`faults_of` gives sentences, none for a file that keeps every rule. Strict about names; types only for LONG.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, ParseError, TokenError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from drydock.engines.oracle_admission import DIAGNOSTICS_PACK, version_range
from drydock.engines.oracle_dictionary import LONG_TYPES, DictionaryView, view_of
from drydock.sqlfiles import SqlFile, statements

NO_PRIVILEGE = "none beyond CREATE SESSION"
WITHOUT_GRANT = {"SYS.DUAL", "SYS.SESSION_PRIVS"}  # every session may read these
_SELECT = re.compile(r"(?:SELECT|READ)\s+(?:ON\s+)?(?:(\w+)\.)?([\w$#]+)")
_GRANT = re.compile(
    r"GRANT\s+(?:(?:SELECT|READ)\s+ON\s+(?P<on>[\w.$#]+)|(?P<execute>EXECUTE ON [\w.$#]+)|(?P<system>[A-Z ]+?))\s+TO\s+&[a-z_]+"
)


def faults_of(file: SqlFile) -> list[str]:
    """What is wrong with a read file."""
    try:
        parsed = sqlglot.parse(file.statement, dialect="oracle")
    except (ParseError, TokenError) as e:
        return [f"cannot be parsed: {e}"]
    tree = parsed[0]
    if len(parsed) != 1 or not isinstance(tree, exp.Query):
        return ["is not one query"]
    views, faults = views_of(tree, *version_range(file))
    faults += [] if faults else _faults_of_names(tree, views, file)
    faults += _faults_of_privileges(file, views.values()) + _faults_of_licence(file, views.values())
    return faults + _faults_of_binds(tree, file)


def views_of(
    tree: exp.Expression, lowest: tuple[int, ...], highest: tuple[int, ...] = ()
) -> tuple[dict[str, DictionaryView], list[str]]:
    """The views that a query names, and what is wrong with their names."""
    defined = {cte.alias.upper() for cte in tree.find_all(exp.CTE)}
    found, faults = {}, []
    for table in tree.find_all(exp.Table):
        name = table.name.upper()
        if not table.name or (name in defined and not table.db):
            continue
        view = view_of(name, lowest, highest)
        if view is None:
            faults.append(f"no view {name} in every version from {'.'.join(map(str, lowest))} on")
        elif table.db and table.db.upper() != view.granted.split(".")[0]:
            faults.append(f"{name} does not belong to {table.db.upper()}")
        else:
            found[name] = view
    return found, faults


def _faults_of_names(tree: exp.Expression, views: dict[str, DictionaryView], file: SqlFile) -> list[str]:
    schema = {name: view.columns for name, view in views.items()}
    stars = [star for star in tree.find_all(exp.Star) if not isinstance(star.parent, exp.Count)]
    if stars:
        return ["names no columns: SELECT *"]
    copy = tree.copy()
    for table in copy.find_all(exp.Table):
        table.set("db", None)
    try:
        resolved = qualify(copy, schema=schema, dialect="oracle", expand_stars=False, validate_qualify_columns=True)
    except OptimizeError as e:
        return [f"names a column that is not there: {e}"]
    returned = [name.lower() for name in tree.named_selects]
    told = [] if returned == list(file.columns) else [f"returns {returned}, the header tells of {list(file.columns)}"]
    return told + _faults_of_long(resolved, schema)


def _faults_of_long(tree: exp.Expression, schema: dict[str, dict[str, str]]) -> list[str]:
    """A LONG may only be returned bare by the outermost query (SQL Language Reference 19c, LONG Data Type)."""
    faults = []
    for scope in traverse_scope(tree):
        for column in scope.columns:
            if _is_long(scope, column, schema) and not _may_stand(column, tree):
                faults.append(f"the LONG column {column.name} stands where no LONG may")
    return faults


def _is_long(scope: Scope, column: exp.Column, schema: dict[str, dict[str, str]]) -> bool:
    source = scope.sources.get(column.table)
    return isinstance(source, exp.Table) and schema.get(source.name, {}).get(column.name) in LONG_TYPES


def _may_stand(column: exp.Column, root: exp.Expression) -> bool:
    place: exp.Expression = column.parent if isinstance(column.parent, exp.Alias) else column
    is_plain = isinstance(root, exp.Select) and not root.args.get("distinct") and not root.args.get("group")
    return is_plain and place.parent is root and place.arg_key == "expressions" and not _is_ordered_by(place, root)


def _is_ordered_by(place: exp.Expression, root: exp.Expression) -> bool:
    order = root.args.get("order")
    return bool(order) and any(c.name == place.alias_or_name and not c.table for c in order.find_all(exp.Column))


def _faults_of_privileges(file: SqlFile, views: Iterable[DictionaryView]) -> list[str]:
    needed = {view.granted for view in views} - WITHOUT_GRANT
    told = privileges_of(file)
    return [f"the header lacks the privilege SELECT ON {p}" for p in sorted(needed - told)] + [
        f"the header tells of {p}, which the statement does not use" for p in sorted(told - needed)
    ]


def privileges_of(file: SqlFile) -> set[str]:
    """The header's privileges: SYS.V_$DATABASE for a SELECT, system privileges by their names."""
    if file.privileges == NO_PRIVILEGE:
        return set()
    found = set()
    for item in (part.strip() for part in file.privileges.split(",")):
        match = _SELECT.fullmatch(item)
        found.add(f"{match[1] or 'SYS'}.{match[2]}" if match else item)
    return found


def _faults_of_licence(file: SqlFile, views: Iterable[DictionaryView]) -> list[str]:
    names = sorted(view.name for view in views if view.needs_diagnostics_pack)
    if names and file.licence != DIAGNOSTICS_PACK:
        return [f"{', '.join(names)} needs the {DIAGNOSTICS_PACK}, the header says {file.licence}"]
    return ["the header asks for a licence that no view needs"] if file.licence != "none" and not names else []


def _faults_of_binds(tree: exp.Expression, file: SqlFile) -> list[str]:
    used = {bind.name for bind in tree.find_all(exp.Placeholder)}
    return [] if used == set(file.binds) else [f"uses the binds {sorted(used)}, the header tells of {sorted(file.binds)}"]


def faults_of_grants(grants: SqlFile, files: Iterable[SqlFile], also: Iterable[str] = ()) -> list[str]:
    """What a grants file lacks for the files of its pipeline, and what it gives beyond them. `also`: what it needs besides."""
    needed = Counter({"CREATE SESSION": 1})
    needed.update(also)
    for file in files:
        needed.update(privileges_of(file))
    given, faults = set(), []
    for statement in statements(grants):
        match = _GRANT.fullmatch(statement)
        if match:
            given.add(match["on"] or match["execute"] or match["system"])
        else:
            faults.append(f"no grant of one thing to one account: {statement[:60]}")
    faults += [f"does not grant {p}" for p in sorted(needed.keys() - given)]
    return faults + [f"grants {p}, which no file needs" for p in sorted(given - needed.keys())]
