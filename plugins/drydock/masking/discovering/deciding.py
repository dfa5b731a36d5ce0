"""From counts to a kind: check digit before structure, structure before words, words before the column's name.

A check digit that most values have is proof whatever the column is called. Structure (a phone, a plate) is proof for most of
a column. What half of all codes look like (an order number, an HS code) needs a word in the name or the comment, and values
that do not speak against it. A name that points elsewhere than the values is not believed.
"""

from __future__ import annotations

from dataclasses import dataclass

from drydock.masking.discovering.hints import STRONG, WEAK
from drydock.masking.discovering.names import NOUN_ENDINGS, commonest
from drydock.masking.discovering.profiles import ColumnProfile
from drydock.masking.discovering.whole import is_beyond_chance

CHECK, STRUCTURE, NAME = 3, 2, 1
DECIDED_BY = {CHECK: "check digit", STRUCTURE: "structure", NAME: "name"}


@dataclass(frozen=True)
class Rule:
    """Shares of the values that must be right: with no word for the kind, and with a strong one. 2.0: never."""

    proof: int
    unhinted: float
    hinted: float
    distinct: int = 1  # different values needed where no word helps
    in_all: float = 0.0  # share of the values that must at least fit the pattern where a word helps


NEVER = 2.0
RULES = {
    "cn_id": Rule(CHECK, 0.5, 0.1),
    "uscc": Rule(CHECK, 0.5, 0.2),
    "bank_card": Rule(CHECK, 0.6, 0.2),
    "container": Rule(CHECK, 0.5, 0.2),
    "hkid": Rule(CHECK, 0.8, 0.3, distinct=5),
    "org_code": Rule(CHECK, 0.85, 0.4, distinct=8),
    "imo": Rule(CHECK, 0.85, 0.4, distinct=6),
    "tax_no": Rule(CHECK, 0.85, 0.3, distinct=8),
    "entry_id": Rule(STRUCTURE, 0.8, 0.3),
    "ceb_invt_no": Rule(STRUCTURE, 0.6, 0.3),
    "mobile": Rule(STRUCTURE, 0.7, 0.25),
    "landline": Rule(STRUCTURE, 0.7, 0.25),
    "plate": Rule(STRUCTURE, 0.5, 0.2),
    "email": Rule(STRUCTURE, 0.5, 0.2),
    "ipv4": Rule(STRUCTURE, 0.7, 0.3),
    "mac": Rule(STRUCTURE, 0.5, 0.3),
    "customs_reg": Rule(STRUCTURE, 0.98, 0.5, distinct=15),
    "mmsi": Rule(STRUCTURE, 0.98, 0.5, distinct=10),
    "cn_id15": Rule(NAME, NEVER, 0.3),
    "passport": Rule(NAME, 0.98, 0.3, distinct=15),
    "hkmo_permit": Rule(NAME, NEVER, 0.3),
    "hr_permit": Rule(NAME, NEVER, 0.3),
    "tw_permit": Rule(NAME, NEVER, 0.5),
    "hs": Rule(NAME, NEVER, 0.7),
    "bill_no": Rule(NAME, NEVER, 0.6),
    "order_no": Rule(NAME, NEVER, 0.6),
}
_ONLY_SHAPE = frozenset({"mmsi", "customs_reg", "passport"})  # without a word, other codes could look the same
_ANOTHER = 0.5  # of the values are plainly something else: the name is not believed


@dataclass(frozen=True)
class Decision:
    """A kind with how sure it is; `share` of the informative values was right."""

    kind: str
    proof: int
    share: float
    matched: int
    passed: int
    hinted: bool


def decide(profile: ColumnProfile) -> Decision | None:
    """The kind of a column, or None. Nothing informative is no kind, whatever the name says."""
    if not profile.informative:
        return None
    hints = profile.hints
    found = [d for kind, rule in RULES.items() if (d := _by_rule(kind, rule, profile, hints.get(kind, 0)))]
    found += filter(None, (_address(profile, hints), _name(profile, hints), _credential(profile, hints)))
    found += filter(None, (_account_without_check(profile, hints), *_by_parts(profile, hints)))
    return max(found, key=lambda d: (d.proof, d.hinted, d.share), default=None)


def _by_rule(kind: str, rule: Rule, profile: ColumnProfile, hint: int) -> Decision | None:
    passed, matched, total = profile.passed[kind], profile.fits[kind], profile.informative
    share = passed / total
    if not passed or (rule.unhinted == NEVER and not _may_be_named(kind, profile)):
        return None
    if hint == STRONG and share >= rule.hinted and (rule.proof != CHECK or passed >= 0.3 * matched):
        return Decision(kind, rule.proof, share, matched, passed, True)
    proved = share >= rule.unhinted and profile.distinct_estimate >= rule.distinct and is_proved(kind, profile)
    weakly = bool(hint) and rule.unhinted == NEVER and share >= max(0.5, rule.hinted)
    return Decision(kind, rule.proof, share, matched, passed, bool(hint)) if proved or weakly else None


def _may_be_named(kind: str, profile: ColumnProfile) -> bool:
    """Do the values leave room for a kind that only a name can tell? Dates of eight digits look like permits and HS codes."""
    others = profile.classes["date"] + profile.classes["decimal"]
    if kind in ("hs", "tw_permit", "order_no", "bill_no") and profile.digit_lengths[8] * 2 > profile.informative:
        others += profile.classes["compact_date"]
    return others < _ANOTHER * profile.informative


def is_proved(kind: str, profile: ColumnProfile) -> bool:
    """Are there more right values than chance gives, and none of the signs of other codes? For columns without a helping word."""
    passed, total = profile.passed[kind], profile.informative
    if not is_beyond_chance(kind, passed, profile.classes, profile.digit_lengths):
        return False
    if kind == "mobile":  # numbers drawn at random begin with 10, 11 and 12 as often
        return profile.classes["no_mobile"] < 0.1 * passed
    if kind == "landline":  # a number that begins with 0, unless it is written as a phone
        return profile.classes["integer"] < 0.3 * total or profile.classes["written_landline"] >= 0.9 * passed
    if kind == "entry_id":  # 1001 20240315 123456 has a year and a flag in their places too, and a day
        return profile.classes["dated18"] < 0.6 * passed
    if kind == "ipv4":
        # versions have four parts too, small ones
        return profile.classes["large_octet"] >= 0.3 * passed or profile.classes["private_ip"] >= 0.95 * total
    if kind == "passport":  # one letter and eight digits: only those of Chinese passports, all of them, and no serials
        return profile.classes["chinese_passport"] >= 0.98 * total and not _counts_up(profile)
    if kind == "mmsi":
        return profile.classes["chinese_ship"] >= 0.98 * total
    if kind == "customs_reg":
        return profile.classes["epoch"] < 0.5 * total and not _counts_up(profile)
    if kind == "tax_no":  # of firms before 2015; the longer ones are credit codes and ids
        return profile.passed["uscc"] + profile.passed["cn_id"] < 0.1 * total
    return True


def _counts_up(profile: ColumnProfile) -> bool:
    return profile.numbers_compared >= 5 and profile.rising >= 0.9 * profile.numbers_compared


def _account_without_check(profile: ColumnProfile, hints: dict[str, int]) -> Decision | None:
    """Accounts of firms have no Luhn digit: a strong word and long numbers must do."""
    if hints.get("bank_card") != STRONG:
        return None
    long_numbers = int(profile.digit_lengths[12:31].sum())
    plain = long_numbers - profile.classes["compact_date"]
    share = plain / profile.informative
    return Decision("bank_card", NAME, share, long_numbers, profile.passed["bank_card"], True) if share >= 0.6 else None


def _address(profile: ColumnProfile, hints: dict[str, int]) -> Decision | None:
    located, alone, total = profile.fits["address"], profile.passed["address"], profile.informative
    hinted = hints.get("address") == STRONG
    if (hinted and located >= 0.25 * total) or (alone >= 0.5 * total and profile.classes["organisation"] < 0.5 * total):
        return Decision("address", STRUCTURE, located / total, located, alone, hinted)
    return None


def _name(profile: ColumnProfile, hints: dict[str, int]) -> Decision | None:
    """Family names, the commonest among them often, many of them, and few endings of nouns; or a word and Latin names.

    Firms among the persons (a column of consignees has both) do not count against them, unless they are the most.
    """
    named, latin, total = profile.passed["name"], profile.passed["latin_name"], profile.informative
    firms = profile.classes["organisation"]
    hinted = hints.get("name") == STRONG
    if firms > (0.9 if hinted else 0.7) * total:
        return None
    if named >= 0.05 * total and _reads_like_people(profile, named / max(1, total - firms), hinted):
        return Decision("name", STRUCTURE, (named + latin * hinted) / total, named, named, hinted)
    if hinted and latin >= 0.5 * total:
        return Decision("name", NAME, latin / total, latin, latin, True)
    return None


def _reads_like_people(profile: ColumnProfile, share: float, hinted: bool) -> bool:
    """`share`: of the values that are no firms."""
    if profile.classes["dotted_name"] >= 0.8 * profile.informative:
        return True
    values = sum(profile.surnames.values())
    common = sum(n for first, n in profile.surnames.items() if first in commonest()) / values
    nouns = sum(n for last, n in profile.endings.items() if last in NOUN_ENDINGS) / values
    if hinted:
        return share >= 0.65 and nouns < 0.3 and (common >= 0.5 or share >= 0.9)
    top = max(profile.surnames.values()) / values
    many = profile.distinct_estimate >= 12 or profile.distinct_estimate >= max(8, 0.2 * profile.informative)
    varied = len(profile.surnames) >= 6 and many and (top <= 0.35 or values < 30)
    if 4 <= profile.distinct_estimate < 8 and profile.informative <= 1.5 * profile.distinct_estimate:
        return share == 1 and common >= 0.75 and nouns == 0 and len(profile.surnames) >= 3  # few, but all of them different
    return share >= 0.8 and common >= 0.65 and nouns < 0.12 and varied


def _credential(profile: ColumnProfile, hints: dict[str, int]) -> Decision | None:
    """Any text may be a secret: the name decides, unless the values are dates, amounts or flags."""
    total = profile.informative
    others = sum(profile.classes[c] for c in ("date", "decimal", "organisation", "compact_date")) + profile.passed["address"]
    if hints.get("credential") == WEAK and _look_like_secrets(profile):
        return Decision("credential", NAME, 1.0, total, 0, True)
    if hints.get("credential") != STRONG or others > _ANOTHER * total or profile.longest < 4:
        return None
    if profile.longest < 6 and profile.classes["integer"] > _ANOTHER * total:
        return None  # `mm` is a password in pinyin, and a millimetre
    return Decision("credential", NAME, 1.0, total, 0, True)


def _look_like_secrets(profile: ColumnProfile) -> bool:
    """Long, of letters and digits, and hardly two alike: what a column called `key` holds when it is no key of a table."""
    secrets = profile.classes["long_code"] - profile.classes["uuid"] - int(profile.digit_lengths[20:].sum())
    return secrets >= 0.8 * profile.informative and profile.distinct_estimate >= 0.5 * profile.informative


def _by_parts(profile: ColumnProfile, hints: dict[str, int]) -> list[Decision]:
    """Arrays of one kind, and columns whose word is right but whose values carry more (two phones, a phone and a name)."""
    total, found = profile.informative, []
    for kind in sorted({kind for kind, _ in profile.inside}, reverse=True):
        hinted = hints.get(kind) == STRONG
        in_array, anywhere = profile.inside[kind, "array"], profile.inside[kind, "array"] + profile.inside[kind, "text"]
        if in_array >= 0.6 * total or (hinted and kind in RULES and anywhere + profile.passed[kind] >= 0.3 * total):
            share = min(1.0, (anywhere + profile.passed[kind]) / total)
            found.append(Decision(kind, STRUCTURE, share, profile.fits[kind], profile.passed[kind], hinted))
    return found


def confidence(decision: Decision, profile: ColumnProfile) -> float:
    """From 0 to 1: how strong the proof is, how many values bear it out, how many different ones there are, and the name."""
    base = {CHECK: 0.97, STRUCTURE: 0.9, NAME: 0.6}[decision.proof]
    if decision.kind in _ONLY_SHAPE and not decision.hinted:
        base = 0.55
    if decision.kind == "mobile" and not decision.hinted and _counts_up(profile):
        base = 0.45  # serial numbers count up; phones seldom do
    sure = base * (0.6 + 0.4 * min(1.0, decision.share / 0.9))
    sure *= min(1.0, 0.75 + 0.05 * profile.distinct_estimate)
    agreeing = (profile.name_kinds.get(decision.kind) == STRONG) + (profile.comment_kinds.get(decision.kind) == STRONG)
    if agreeing:
        sure += (1 - sure) * (0.4 if decision.proof == NAME else 0.5) * (1 if agreeing == 1 else 1.3)
    elif profile.hints:
        sure -= 0.05  # the name points elsewhere
    return round(max(0.05, min(0.99, sure)), 2)
