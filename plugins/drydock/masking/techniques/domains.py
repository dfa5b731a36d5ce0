"""How many values share a set: the table of docs/masking-crypto.md, counted from the shapes themselves."""

from __future__ import annotations

from drydock.masking.ciphers.feistel import rounds_for
from drydock.masking.techniques.catalogue import techniques
from drydock.masking.techniques.network_names import Ipv4
from drydock.masking.techniques.options import Options
from drydock.masking.techniques.resident_ids import OldResidentId, ResidentId, sizes_of_sets
from drydock.masking.techniques.shapes import Shape, Template

LONGEST_FORM = 21
IPV4_FORMS = ("x.x.x.x", "xxx.xxx.xxx.xxx")
KEPT = {
    "cn_id": "area, band of years of birth, whether it ends in X",
    "cn_id15": "area, band of years of birth, whether its 18-digit form ends in X",
    "uscc": "registrar and sort, area, which characters are letters",
    "org_code": "which characters are letters",
    "tax_no": "as uscc (18), cn_id (18 to 20); area (15)",
    "customs_reg": "district, zone, ownership",
    "entry_id": "district, year, import or export; item number of 21 digits",
    "ceb_invt_no": "district, year, I or E",
    "bank_card": "first six digits",
    "mobile": "country code, first three digits; landlines as landline",
    "landline": "country and area code; mobile numbers as mobile",
    "passport": "first letter or two digits",
    "hkmo_permit": "first letter",
    "hr_permit": "first letter, number of renewals",
    "tw_permit": "nothing",
    "hkid": "how many letters, whether it ends in A",
    "plate": "province and letter, letter of new energy, last Han character",
    "imo": "the word IMO",
    "mmsi": "country digits",
    "container": "owner and category",
    "bill_no": "airline of a right air waybill; else which characters are letters",
    "hs": "chapter",
    "email": "last label (com.cn counts as one), which characters are letters",
    "ipv4": "how many digits each part has",
    "mac": "which characters are letters",
    "order_no": "which characters are letters",
}


def domain_table() -> str:
    """One line for each kind, in Markdown."""
    head = "| kind | kept | values in one set, from – to | rounds |\n|---|---|---|---|\n"
    return head + "".join(_line(kind) for kind in techniques())


def _line(kind: str) -> str:
    sizes = [size for shape in _shapes(kind) for size in _sizes(shape)]
    if not sizes or kind in ("bill_no", "order_no"):
        return (
            f"| `{kind}` | {KEPT[kind]} | by its length: 10 for each digit times 26 for each letter | 36, 24, 10; 12 if wide |\n"
        )
    rounds = sorted({rounds_for(size) for size in sizes}, reverse=True)
    return f"| `{kind}` | {KEPT[kind]} | {min(sizes):,} – {max(sizes):,} | {', '.join(map(str, rounds))} |\n"


def _shapes(kind: str) -> list[Shape]:
    forms = IPV4_FORMS if kind == "ipv4" else ["x" * n for n in range(1, LONGEST_FORM + 1)]
    return [shape for form in forms for shape in techniques()[kind].shapes(form, Options())]


def _sizes(shape: Shape) -> tuple[int, ...]:
    if isinstance(shape, Template | Ipv4):
        return shape.sizes()
    if isinstance(shape, ResidentId | OldResidentId):
        return sizes_of_sets(Options())
    return ()
