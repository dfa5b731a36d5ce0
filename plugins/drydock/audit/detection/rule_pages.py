"""The page about rules, made from their files: what each means and needs, and the views that queries ask, with their columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from drydock.audit.detection.detection_views import columns_of_views, view_text
from drydock.audit.detection.rule_worlds import scene_of_world
from drydock.audit.detection.rules import Rule, World, load_rules
from drydock.audit.policy import AuditPolicy

VIEWS = {
    "records": "the records of the interval, with what is known of their way, objects, deed and local time",
    "statements": "one row per fingerprint of the interval",
    "ways": "how each account came (program, client, operating-system user), and what the approved ways say of it",
    "activity": "the digest of the interval, by hour",
    "baseline_activity": "the digests of the `baseline_days` before it",
    "baseline_use": "who used which statement on those days",
    "past_accounts": "when each account was first and last seen before the interval, at most 400 days back",
    "allowed": "the approved ways of the policy, as patterns",
    "own_accounts": "Drydock's own accounts (`drydock` in the policy), as patterns",
    "administrators": "patterns of administrators' accounts",
    "important": "patterns of important objects, and why",
    "windows": "the low-peak windows that touch the interval",
    "days": "every local day of interval and baseline: is it worked, is it frozen",
    "declared": "settings of auditing as declared",
    "changes": "statements of Drydock's own ledger on this database at that time",
    "tickets": "change tickets, as patterns",
}
MACROS = ("matches", "passes")


def with_rules(page: Path, rules: Path) -> str:
    """The page with its two generated parts between their marks: views, and the rules of that folder."""
    text = page.read_text(encoding="utf-8")
    for mark, lines in (("views", _views()), ("rules", _rules(load_rules([rules])))):
        before, rest = text.split(f"<!-- {mark} -->")
        text = f"{before}<!-- {mark} -->\n{chr(10).join(lines)}\n<!-- /{mark} -->{rest.split(f'<!-- /{mark} -->')[1]}"
    return text


def _views() -> Iterator[str]:
    yield "| view | holds | columns |\n|---|---|---|"
    for name, columns in columns_of_views(scene_of_world(World()), VIEWS).items():
        yield f"| `{name}` | {VIEWS[name]} | {', '.join(f'`{c}`' for c in columns)} |"
    comments = (line.removeprefix("-- ") for line in view_text("macros").splitlines() if line.startswith("-- "))
    told = [f"`{name}`: {words}" for name, _, words in (c.partition(": ") for c in comments) if name in MACROS]
    yield f"\nMacros: {' '.join(told)}"


def _rules(rules: tuple[Rule, ...]) -> Iterator[str]:
    yield f"There are {len(rules)}.\n\n| id | rule | severity | needs | standards |\n|---|---|---|---|---|"
    for r in rules:
        needs, standards = ", ".join(r.needs), "; ".join(r.standards)
        yield f"| [`{r.id}`](#{r.id}) | {r.name_zh} · {r.name_en} | {r.severity} | {needs} | {standards} |"
    for r in rules:
        yield from _chapter(r)


def _chapter(rule: Rule) -> Iterator[str]:
    yield f"\n### {rule.id}\n\n**{rule.name_zh}** · **{rule.name_en}**\n"
    yield f"{rule.meaning_zh}\n{rule.meaning_en}\n"
    if len(rule.engines) == 1:
        yield f"Only for: {rule.engines[0]}.\n"
    usual = rule.asked(AuditPolicy())
    for name, p in rule.parameters.items():
        value = f"{usual[name]:g}" if isinstance(usual[name], int | float) else str(usual[name])
        where = f" (`{p.policy}` of the policy)" if p.policy else ""
        yield f"- `{name}`: {p.zh} · {p.en}{where}; usually `` {value} ``"
    yield f"\n处置：{rule.to_do_zh}\nWhat to do: {rule.to_do_en}"
