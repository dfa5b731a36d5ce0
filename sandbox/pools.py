"""The cast of the sandbox: made-up people, firms, ships and goods that the documents of all platforms refer to.

Nobody here exists. Names hold 测 and firms hold 测试, mobile numbers are 1990000xxxx, e-mail is example.com, cards begin
with 629999, and resident ids end in the serials 996 to 999, which by convention are kept for centenarians, with birth years
from 1985. Check digits are right, but for the planted shares of wrong ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from sandbox import identifiers as ids
from sandbox.draws import chosen, days, generator, numbered, pick, random_numbers, seconds
from sandbox.tables import catalog

PEOPLE = 20_000
VESSELS = 200
FAULTY_CN_ID_SHARE = 0.05
FAULTY_CONTAINER_SHARE = 0.01
FAULTY_USCC_SHARE = 0.005

SURNAMES = "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧"
DOUBLE_SURNAMES = ("欧阳", "司徒", "上官")
GIVEN = "安宝晨达恩芳光海嘉俊凯兰明宁鹏琪荣森婷伟欣雅泽芝子岳"
BRANDS = "安邦诚达鼎丰冠广海恒宏华汇佳金锦久凯康朗利联隆茂美明铭南诺鹏启荣瑞盛泰天通旺祥新信兴益盈永友裕源远展正志中"
TRADES = ("国际货运代理", "进出口贸易", "供应链管理", "电子商务", "物流", "报关", "服装", "电子科技", "食品", "化妆品")
# area code of resident ids and addresses: all of them existed in every birth year used
AREAS = {
    "440103": "广东省广州市荔湾区", "440104": "广东省广州市越秀区", "440105": "广东省广州市海珠区",
    "440106": "广东省广州市天河区", "440111": "广东省广州市白云区", "440112": "广东省广州市黄埔区",
    "440303": "广东省深圳市罗湖区", "420102": "湖北省武汉市江岸区", "420106": "湖北省武汉市武昌区", "110105": "北京市朝阳区",
    "310104": "上海市徐汇区", "330102": "浙江省杭州市上城区", "320102": "江苏省南京市玄武区", "350203": "福建省厦门市思明区",
    "370202": "山东省青岛市市南区",
}  # fmt: skip
BIRTHS = (np.datetime64("1985-06-01"), np.datetime64("2004-12-31"))
# HS code, inspection code, name, model, unit code, unit price in CNY
GOODS = (
    ("8517130000", "999", "智能手机", "测试型号T1|5G|256GB", "001", 2600.0),
    ("8471301000", "999", "平板电脑", "测试型号T2|11英寸", "001", 1900.0),
    ("8518300000", "999", "无线耳机", "测试型号T3|蓝牙", "001", 210.0),
    ("3304990029", "101", "面霜", "测试牌|50ml/瓶", "142", 180.0),
    ("3304100090", "101", "口红", "测试牌|3.5g/支", "012", 120.0),
    ("1901101000", "110", "婴幼儿配方奶粉", "测试牌|900g/罐|3段", "122", 230.0),
    ("2106909090", "102", "复合维生素片", "测试牌|60片/瓶", "142", 150.0),
    ("6109100021", "999", "男式T恤衫", "针织|100%棉", "011", 45.0),
    ("6204620090", "999", "女式长裤", "机织|棉", "011", 88.0),
    ("6403990090", "999", "皮鞋", "牛皮面|橡胶底", "025", 160.0),
    ("9503002100", "103", "电动玩具", "测试型号T11|塑料", "007", 66.0),
    ("9405110090", "999", "LED吊灯", "测试型号T12|36W", "007", 140.0),
    ("4202121000", "999", "塑料面旅行箱", "24英寸", "008", 130.0),
    ("7323930000", "999", "不锈钢餐具", "测试牌|套装", "035", 75.0),
    ("8516609090", "999", "空气炸锅", "测试型号T15|1500W", "001", 260.0),
    ("0811909090", "104", "冷冻榴莲", "去壳|10kg/箱", "035", 52.0),
)
GOODS_FIELDS = ("hs", "ciq", "goods", "model", "unit", "price")


@dataclass(frozen=True)
class Pools:
    """people: name, id_no, mobile, address, district, reg_no · firms: the columns of ent_corp_reg ·
    vessels: vessel, imo, mmsi · goods: hs, ciq, goods, model, unit, price."""

    people: pl.DataFrame
    firms: pl.DataFrame
    vessels: pl.DataFrame
    goods: pl.DataFrame


@cache
def pools(seed: int) -> Pools:
    """The cast of one seed, the same for all platforms, so that a firm of one is found in the other."""
    people = _people(seed)
    goods = pl.DataFrame(list(GOODS), schema=list(GOODS_FIELDS), orient="row")
    return Pools(people, _firms(seed, people), _vessels(seed), goods)


def draw(rng: np.random.Generator, pool: pl.DataFrame, rows: int) -> pl.DataFrame:
    """`rows` members of a pool, with replacement."""
    return pool[rng.integers(0, len(pool), rows)]


def _people(seed: int) -> pl.DataFrame:
    rng = generator(seed, "people")
    district = pick(rng, list(AREAS), PEOPLE)
    return pl.DataFrame(
        {
            "name": _names(rng, PEOPLE),
            "id_no": _resident_ids(rng, PEOPLE),
            "mobile": numbered("1990000", rng.permutation(PEOPLE) % 10_000, 4),
            "address": _addresses(rng, district),
            "district": district,
            "reg_no": numbered("U", rng.permutation(PEOPLE), 9),
        }
    )


def _names(rng: np.random.Generator, rows: int) -> pl.Series:
    surnames = pick(rng, [*SURNAMES, *DOUBLE_SURNAMES], rows)
    return surnames + "测" + pick(rng, ["", *GIVEN], rows)


def _resident_ids(rng: np.random.Generator, rows: int) -> pl.Series:
    areas = ids.text_matrix(list(AREAS))[rng.integers(0, len(AREAS), rows)]
    births = BIRTHS[0] + rng.integers(0, int((BIRTHS[1] - BIRTHS[0]).astype(int)), rows)
    written = pl.Series(births.astype("datetime64[ms]")).dt.strftime("%Y%m%d").cast(pl.Int64).to_numpy()
    bodies = ids.joined(areas, ids.number_matrix(written, 8), ids.number_matrix(rng.integers(996, 1000, rows), 3))
    return ids.as_text(ids.spoiled(ids.checked(bodies, ids.cn_id_check(bodies)), chosen(rng, rows, FAULTY_CN_ID_SHARE)))


def _addresses(rng: np.random.Generator, district: pl.Series) -> pl.Series:
    rows = len(district)
    house, tower, room = (pl.Series(rng.integers(1, top, rows)).cast(pl.String) for top in (400, 30, 40))
    road = pick(rng, ["花城测试路", "江南测试大道", "新港测试街", "东风测试路"], rows)
    return district.replace_strict(AREAS) + road + house + "号" + tower + "栋" + room + "0" + pick(rng, "1234", rows) + "室"


def _firms(seed: int, people: pl.DataFrame) -> pl.DataFrame:
    """The register of enterprises: 7,120 firms at every scale, for a register does not grow with the traffic."""
    rng = generator(seed, "firms")
    rows = catalog().table("ent_corp_reg").volume
    number = np.arange(rows)
    heads, contacts = draw(rng, people, rows), draw(rng, people, rows)
    registered = np.datetime64("2008-01-01", "ms") + days(rng.integers(0, 6000, rows))
    return pl.DataFrame(
        {
            "corp_id": number + 1,
            "customs_reg_no": _customs_codes(rng, number),
            "social_credit_code": _credit_codes(rng, number),
            "corp_name": _firm_names(rng, number),
            "corp_type": pick(rng, "12346", rows),
            "legal_rep_name": heads["name"],
            "legal_rep_id_no": heads["id_no"],
            "contact_name": contacts["name"],
            "contact_mobile": contacts["mobile"],
            "contact_tel": numbered("020-2000", rng.integers(0, 10_000, rows), 4),
            "email": numbered("ops", number + 1, 5) + "@example.com",
            "reg_address": contacts["address"],
            "bank_name": pick(rng, ["测试银行广州分行", "测试银行黄埔支行", "测试商业银行天河支行"], rows),
            "bank_account": _cards(rng, rows),
            "master_customs": pick(rng, list(catalog().codes["customs_district_guangzhou"]), rows),
            "reg_date": registered,
            "status": pick(rng, "123", rows, [0.96, 0.03, 0.01]),
            "update_time": registered + days(rng.integers(0, 500, rows)) + seconds(rng.integers(28_800, 64_800, rows)),
        }
    )


def _firm_names(rng: np.random.Generator, number: np.ndarray) -> pl.Series:
    """Distinct: the two characters of the firm's own name count through all pairs, then a town is added."""
    pairs = rng.permutation(len(BRANDS) ** 2)
    first, second = np.divmod(pairs[number % len(pairs)], len(BRANDS))
    signs = pl.Series(list(BRANDS))
    towns = pl.Series(["广州", "广东", "南沙", "黄埔", "武汉"]).gather(number // len(pairs))
    return towns + signs.gather(first) + signs.gather(second) + "测试" + pick(rng, TRADES, len(number)) + "有限公司"


def _customs_codes(rng: np.random.Generator, number: np.ndarray) -> pl.Series:
    """4 of area, zone, ownership, and a serial that begins with T."""
    rows = len(number)
    areas = ids.text_matrix(["4401", "4423", "4453", "4201"])[rng.integers(0, 4, rows)]
    zone, ownership = (ids.text_matrix(list(signs))[rng.integers(0, len(signs), rows)] for signs in ("123459", "123456"))
    return ids.as_text(ids.joined(areas, zone, ownership, "T", ids.number_matrix(number, 3, ids.DIGITS + ids.LETTERS)))


def _credit_codes(rng: np.random.Generator, number: np.ndarray) -> pl.Series:
    """91 and 92 (sole traders), area, an organisation code that begins with TT, and both check characters."""
    rows = len(number)
    kinds = ids.text_matrix(["91", "91", "91", "92"])[rng.integers(0, 4, rows)]
    areas = ids.text_matrix(["440101", "440106", "440112", "420102"])[rng.integers(0, 4, rows)]
    organisations = ids.joined("TT", ids.number_matrix(number + rng.integers(0, 31) * 31**4, 6, ids.USCC_ALPHABET))
    bodies = ids.joined(kinds, areas, ids.checked(organisations, ids.org_code_check(organisations)))
    return ids.as_text(ids.spoiled(ids.checked(bodies, ids.uscc_check(bodies)), chosen(rng, rows, FAULTY_USCC_SHARE)))


def _cards(rng: np.random.Generator, rows: int) -> pl.Series:
    bodies = ids.joined("629999", random_numbers(rng, rows, 12))
    return ids.as_text(ids.checked(bodies, ids.luhn_check(bodies)))


def _vessels(seed: int) -> pl.DataFrame:
    rng = generator(seed, "vessels")
    bodies = ids.number_matrix(900_000 + rng.permutation(90_000)[:VESSELS], 6)
    return pl.DataFrame(
        {
            "vessel": numbered("TEST VESSEL ", np.arange(VESSELS) + 1, 3),
            "imo": "IMO" + ids.as_text(ids.checked(bodies, ids.imo_check(bodies))),
            "mmsi": numbered("413", rng.permutation(1_000_000)[:VESSELS], 6),
        }
    )
