"""The export profiles: what each format has in it, declared as data.

A new format is one declaration here and one golden file (docs/export-formats.md); how a file kind is written is for
`writers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, get_type_hints

from gm_service.orders.exports.columns import CellType, ExportColumn
from gm_service.orders.exports.rows import OrderDetail, TaxedLine, VoucherEntry
from shared.errors import Language, UnsupportedFormat

HOUSE = "house"
FileKind = Literal["xlsx", "csv", "xml", "txt"]


class Balance(Enum):
    """What the amounts of a file must agree with, and so which rows its columns name fields of."""

    AS_STORED = OrderDetail
    """a row a line, amounts as they are stored"""
    TAX = TaxedLine
    """a row a line; money + tax = sum in each, and the taxes of an order add up to the tax on its total"""
    DOUBLE_ENTRY = VoucherEntry
    """some rows an order; its debits equal its credits"""


@dataclass(frozen=True, slots=True)
class Profile:
    """A format that exports come in."""

    name: str
    """what the parameter `format` says"""
    sheet_en: str
    """the sheet's name; in XML the tag of an order"""
    sheet_zh: str
    """the same in Chinese; in XML how U8 displays the document"""
    kind: FileKind
    """which writer makes it; also the file's extension"""
    encoding: str
    """of its text, as Python calls it; what it can't say is replaced by a mark"""
    balance: Balance
    columns: tuple[ExportColumn, ...]
    first_line: str = ""
    """what stands above the rows in place of titles, where the file kind has such a line"""

    def __post_init__(self) -> None:
        unknown = [column.source for column in self.columns if not _has_field(self.balance.value, column.source)]
        if unknown:
            raise ValueError(f"profile {self.name} names fields that its rows lack: {unknown}")

    def sheet(self, language: Language) -> str:
        """Return the sheet's name."""
        return self.sheet_zh if language == "zh" else self.sheet_en

    @property
    def is_for_u8(self) -> bool:
        """Is it filled with what the configuration says of U8."""
        return self.balance is not Balance.AS_STORED

    def file_title(self, language: Language) -> str:
        """Return what the names of its files begin with."""
        if language == "zh":
            return self.sheet_zh
        return self.name if self.is_for_u8 else "orderdetail"


def _has_field(row: type, source: str) -> bool:
    if source.startswith("="):
        return True
    name, _, rest = source.partition(".")
    hints = get_type_hints(row)
    return name in hints and (not rest or _has_field(hints[name], rest))


_TEXT, _NUMBER, _AMOUNT, _DATE = CellType.TEXT, CellType.NUMBER, CellType.AMOUNT, CellType.DATE

_HOUSE_COLUMNS = (
    ExportColumn("Order number", "订单号", "order_no", _TEXT, 20),
    ExportColumn("Order time", "下单时间", "order_time", CellType.DATETIME, 20),
    ExportColumn("Receive date", "收货日期", "receive_date", _DATE, 12),
    ExportColumn("Operating cycle", "运营周期", "cycle_name", _TEXT, 18),
    ExportColumn("Status", "状态", "status", CellType.LABEL, 11),
    ExportColumn("Buyer code", "客户编码", "buyer_code", _TEXT, 14),
    ExportColumn("Buyer name", "客户名称", "buyer_name", _TEXT, 22),
    ExportColumn("Area", "区域", "area", _TEXT, 16),
    ExportColumn("Line", "行号", "line_no", CellType.INTEGER, 6),
    ExportColumn("SKU", "商品编码", "sku_code", _TEXT, 14),
    ExportColumn("SKU name", "商品名称", "sku_name", _TEXT, 38),
    # No total: units differ from line to line.
    ExportColumn("Quantity", "数量", "quantity", _NUMBER, 10),
    ExportColumn("Unit", "单位", "unit", _TEXT, 8),
    ExportColumn("Unit price", "单价", "unit_price", CellType.PRICE, 11),
    ExportColumn("Amount", "金额", "amount", _AMOUNT, 13, has_total=True),
    ExportColumn("Remark", "备注", "remark", _TEXT, 30),
)

_YONGYOU_COLUMNS = (
    ExportColumn("date", "单据日期", "day", _DATE, 12),
    ExportColumn("code", "订单号", "line.order_no", _TEXT, 20),
    ExportColumn("cSTCode", "销售类型编码", "settings.sales_type", _TEXT, 13),
    ExportColumn("custcode", "客户编码", "line.buyer_code", _TEXT, 14, code_map="customers"),
    ExportColumn("cusname", "客户名称", "line.buyer_name", _TEXT, 22),
    ExportColumn("department", "部门编码", "settings.department", _TEXT, 12),
    ExportColumn("person", "业务员编码", "settings.person", _TEXT, 12),
    ExportColumn("currency", "币种", "settings.currency", _TEXT, 9),
    ExportColumn("irowno", "行号", "line.line_no", CellType.INTEGER, 7),
    ExportColumn("inventorycode", "存货编码", "line.sku_code", _TEXT, 14, code_map="items"),
    ExportColumn("itemname", "存货名称", "line.sku_name", _TEXT, 38),
    ExportColumn("quantity", "数量", "line.quantity", _NUMBER, 10),
    ExportColumn("unit", "计量单位", "line.unit", _TEXT, 9, code_map="units"),
    ExportColumn("taxunitprice", "含税单价", "line.unit_price", CellType.PRICE, 13),
    ExportColumn("unitprice", "无税单价", "unit_price", CellType.EXACT_PRICE, 16),
    ExportColumn("money", "无税金额", "amounts.money", _AMOUNT, 13),
    ExportColumn("tax", "税额", "amounts.tax", _AMOUNT, 11),
    ExportColumn("sum", "价税合计", "amounts.sum", _AMOUNT, 13),
    ExportColumn("taxrate", "税率", "settings.tax_rate", _NUMBER, 8),
    ExportColumn("dpredate", "预发货日期", "line.receive_date", _DATE, 12),
    ExportColumn("memo", "备注", "line.remark", _TEXT, 30),
)

_EAI_COLUMNS = (
    ExportColumn("typecode", "销售类型编码", "settings.sales_type", _TEXT, of_order=True),
    ExportColumn("date", "单据日期", "day", _DATE, of_order=True),
    ExportColumn("code", "订单号", "line.order_no", _TEXT, of_order=True),
    ExportColumn("custcode", "客户编码", "line.buyer_code", _TEXT, code_map="customers", of_order=True),
    ExportColumn("deptcode", "部门编码", "settings.department", _TEXT, of_order=True),
    ExportColumn("personcode", "业务员编码", "settings.person", _TEXT, of_order=True),
    ExportColumn("currency", "币种", "settings.currency", _TEXT, of_order=True),
    ExportColumn("currencyrate", "汇率", "=1", _TEXT, of_order=True),
    ExportColumn("taxrate", "税率", "settings.tax_rate", _NUMBER, of_order=True),
    ExportColumn("memo", "备注", "line.remark", _TEXT, of_order=True),
    ExportColumn("maker", "制单人", "settings.maker", _TEXT, of_order=True),
    ExportColumn("businesstype", "业务类型", "settings.business_type", _TEXT, of_order=True),
    ExportColumn("disflag", "整单打折标志", "=0", _TEXT, of_order=True),
    ExportColumn("cusname", "客户名称", "line.buyer_name", _TEXT, of_order=True),
    ExportColumn("dpredatebt", "预发货日期", "line.receive_date", _DATE, of_order=True),
    ExportColumn("dpremodatebt", "预完工日期", "line.receive_date", _DATE, of_order=True),
    ExportColumn("inventorycode", "存货编码", "line.sku_code", _TEXT, code_map="items"),
    ExportColumn("preparedate", "准备日期", "day", _DATE),
    ExportColumn("quantity", "数量", "line.quantity", _NUMBER),
    ExportColumn("quotedprice", "报价", "line.unit_price", CellType.PRICE),
    ExportColumn("unitprice", "原币无税单价", "unit_price", CellType.EXACT_PRICE),
    ExportColumn("taxunitprice", "原币含税单价", "line.unit_price", CellType.PRICE),
    ExportColumn("money", "原币无税金额", "amounts.money", _AMOUNT),
    ExportColumn("tax", "原币税额", "amounts.tax", _AMOUNT),
    ExportColumn("sum", "原币价税合计", "amounts.sum", _AMOUNT),
    ExportColumn("natunitprice", "本币无税单价", "unit_price", CellType.EXACT_PRICE),
    ExportColumn("natmoney", "本币无税金额", "amounts.money", _AMOUNT),
    ExportColumn("nattax", "本币税额", "amounts.tax", _AMOUNT),
    ExportColumn("natsum", "本币价税合计", "amounts.sum", _AMOUNT),
    ExportColumn("taxrate", "税率", "settings.tax_rate", _NUMBER),
    ExportColumn("irowno", "行号", "line.line_no", CellType.INTEGER),
    ExportColumn("dpredate", "预发货日期", "line.receive_date", _DATE),
    ExportColumn("dpremodate", "预完工日期", "line.receive_date", _DATE),
    ExportColumn("bsaleprice", "报价含税标志", "=1", _TEXT),
    ExportColumn("bgift", "赠品标志", "=0", _TEXT),
)

_VOUCHER_COLUMNS = (
    ExportColumn("Date", "制单日期", "day", _DATE),
    ExportColumn("Kind", "凭证类别字", "settings.voucher_type", _TEXT),
    ExportColumn("Number", "业务号", "number", CellType.INTEGER),
    ExportColumn("Papers attached", "附单据数", "=0", _TEXT),
    ExportColumn("Summary", "摘要", "summary", _TEXT),
    ExportColumn("Account", "科目编码", "account", _TEXT),
    ExportColumn("Debit", "借方金额", "debit", _AMOUNT),
    ExportColumn("Credit", "贷方金额", "credit", _AMOUNT),
    ExportColumn("Quantity", "数量", "=0", _TEXT),
    ExportColumn("Foreign currency", "外币", "=0", _TEXT),
    ExportColumn("Exchange rate", "汇率", "=0", _TEXT),
    ExportColumn("Maker", "制单人", "settings.maker", _TEXT),
    ExportColumn("Way of settlement", "结算方式", "=", _TEXT),
    ExportColumn("Bill number", "票号", "=", _TEXT),
    ExportColumn("Bill date", "票号发生日期", "=", _TEXT),
    ExportColumn("Department", "部门编码", "=", _TEXT),
    ExportColumn("Person", "个人编码", "=", _TEXT),
    ExportColumn("Customer", "客户编码", "customer", _TEXT, code_map="customers"),
    ExportColumn("Supplier", "供应商编码", "=", _TEXT),
    ExportColumn("Salesperson", "业务员", "=", _TEXT),
    ExportColumn("Project", "项目编码", "=", _TEXT),
)

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(HOUSE, "Orders", "订单明细", "xlsx", "utf-8", Balance.AS_STORED, _HOUSE_COLUMNS),
        Profile("house_csv", "Orders", "订单明细", "csv", "utf-8-sig", Balance.AS_STORED, _HOUSE_COLUMNS),
        Profile("yongyou", "Sales orders", "销售订单", "xlsx", "utf-8", Balance.TAX, _YONGYOU_COLUMNS),
        Profile("yongyou_xml", "saleorder", "销售订单", "xml", "utf-8", Balance.TAX, _EAI_COLUMNS),
        Profile(
            "yongyou_voucher",
            "Vouchers",
            "凭证",
            "txt",
            "gbk",
            Balance.DOUBLE_ENTRY,
            _VOUCHER_COLUMNS,
            first_line="填制凭证,V800",
        ),
    )
}


def get_profile(name: str) -> Profile:
    """Return the profile of that name.

    Raises:
        UnsupportedFormat: there is none.
    """
    try:
        return PROFILES[name]
    except KeyError:
        raise UnsupportedFormat(format=name, formats=", ".join(PROFILES)) from None
