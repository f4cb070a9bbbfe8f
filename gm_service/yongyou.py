"""What an installation's yongyou (用友) U8 calls things: codes and accounts that exports for it are filled with.

One setting, GM_YONGYOU, holds all of it as a JSON object; docs/export-formats.md says where each value goes. Plain
dataclasses, because the export script starts without pydantic; gm_service's settings are validated by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any, ClassVar

# A voucher file has no way to quote a comma or a line's end, XML none to say what is no character.
_CODE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff,\"]{0,60}")
_STRICT = {"extra": "forbid"}
_ACCOUNT = re.compile(r"[0-9A-Za-z.-]{1,40}")


@dataclass(frozen=True, slots=True)
class Accounts:
    """The account map of vouchers; the defaults are those of the Chinese standard chart (企业会计准则)."""

    __pydantic_config__: ClassVar = _STRICT

    receivable: str = "1122"
    """应收账款, debited with what the buyer owes"""
    revenue: str = "6001"
    """主营业务收入, credited with the amount without tax"""
    output_tax: str = "22210101"
    """应交增值税销项税额, credited with the tax"""

    def __post_init__(self) -> None:
        for each in fields(self):
            if not _ACCOUNT.fullmatch(getattr(self, each.name)):
                raise ValueError(f"{each.name} must be an account code, such as 1122")


@dataclass(frozen=True, slots=True)
class CodeMaps:
    """U8's code for one of ours; what isn't listed goes out as it stands."""

    __pydantic_config__: ClassVar = _STRICT

    customers: dict[str, str] = field(default_factory=dict)
    """U8's customer code by buyer code"""
    items: dict[str, str] = field(default_factory=dict)
    """U8's inventory code by SKU"""
    units: dict[str, str] = field(default_factory=dict)
    """U8's unit by ours"""

    def __post_init__(self) -> None:
        for each in fields(self):
            _require_codes(each.name, getattr(self, each.name).values())


@dataclass(frozen=True, slots=True)
class YongyouSettings:
    """Everything that U8 wants to hear and our orders don't say."""

    __pydantic_config__: ClassVar = _STRICT

    tax_rate: Decimal = Decimal(13)
    """VAT that prices include, in percent, up to two decimals"""
    sales_type: str = "01"
    """cSTCode, code of the sales type"""
    business_type: str = "普通销售"
    """name of the business type"""
    department: str = ""
    """department code"""
    person: str = ""
    """salesperson code"""
    currency: str = "人民币"
    """name of the currency that prices are in, which is that of the books"""
    maker: str = ""
    """name of the person who makes documents; empty: whoever imports them"""
    sender: str = "001"
    """number that U8's EAI registered this system under"""
    voucher_type: str = "记"
    """凭证类别字, the kind of voucher"""
    accounts: Accounts = field(default_factory=Accounts)
    code_maps: CodeMaps = field(default_factory=CodeMaps)

    def __post_init__(self) -> None:
        if not 0 <= self.tax_rate <= 100 or self.tax_rate != round(self.tax_rate, 2):
            raise ValueError("tax_rate must be a percentage from 0 to 100 with at most two decimals")
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, str):
                _require_codes(each.name, [value])

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; an export task's input carries them, so that whoever runs it fills in the same."""
        return {**asdict(self), "tax_rate": str(self.tax_rate)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> YongyouSettings:
        """Rebuild what `to_json` returned.

        Raises:
            ValueError, TypeError, ArithmeticError: it is no such object.
        """
        readers: dict[str, Callable[[Any], Any]] = {
            "tax_rate": Decimal,
            "accounts": lambda given: Accounts(**given),
            "code_maps": lambda given: CodeMaps(**given),
        }
        return cls(**{name: readers[name](value) if name in readers else value for name, value in values.items()})


def _require_codes(name: str, values: Iterable[str]) -> None:
    if not all(_CODE.fullmatch(value) for value in values):
        raise ValueError(f"{name} must be at most 60 characters, without commas, quotes, line ends and the like")


DEFAULTS = YongyouSettings()
