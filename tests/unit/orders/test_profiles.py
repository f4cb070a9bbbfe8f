"""The table of formats holds what it promises."""

from __future__ import annotations

import pytest

from gm_service.orders.exports.columns import CellType, ExportColumn
from gm_service.orders.exports.profiles import PROFILES, Balance, Profile, get_profile
from gm_service.orders.exports.totals import Totals
from gm_service.yongyou import DEFAULTS, CodeMaps
from shared.errors import UnsupportedFormat
from tests.support.export_rows import make_detail


@pytest.mark.parametrize("source", ["order", "line.order", "settings.accounts.cash", "amounts.sum.cents"])
def test_column_that_names_no_field_is_refused_at_once(source: str) -> None:
    column = ExportColumn("x", "x", source, CellType.TEXT)

    with pytest.raises(ValueError, match="fields that its rows lack"):
        Profile("x", "x", "x", "csv", "utf-8", Balance.TAX, (column,))


def test_unknown_format_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnsupportedFormat) as refused:
        get_profile("pdf")

    assert all(name in refused.value.sentence("zh") for name in PROFILES)


def test_columns_of_a_u8_sales_order_are_all_there() -> None:
    asked = (
        "date code custcode cusname inventorycode itemname quantity unit taxunitprice unitprice money tax sum taxrate "
        "memo dpredate cSTCode department person"
    )

    titles = [column.title_en for column in PROFILES["yongyou"].columns]

    assert set(asked.split()) <= set(titles)
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", [name for name in PROFILES if name.startswith("yongyou")])
def test_files_for_u8_have_no_total(name: str) -> None:
    totals = Totals(PROFILES[name].columns, "en")

    totals.add([make_detail()])

    assert not totals


@pytest.mark.parametrize("name", ["house", "house_csv"])
def test_house_files_add_up_their_amounts(name: str) -> None:
    totals = Totals(PROFILES[name].columns, "en")

    totals.add([make_detail(amount="0.10"), make_detail(amount="0.20")])
    totals.add([])
    totals.add([make_detail(amount="-1.00")])

    assert [str(cell) for cell in totals.cells() if cell is not None] == ["Total", "-0.70"]


def test_file_of_nothing_has_no_total() -> None:
    assert not Totals(PROFILES["house"].columns, "en")


def test_code_that_is_not_mapped_goes_out_as_it_stands() -> None:
    column = ExportColumn("unit", "单位", "unit", CellType.TEXT, code_map="units")
    read = column.reader(CodeMaps(units={"pcs": "个"}))

    assert [read(make_detail(unit=unit)) for unit in ("pcs", "箱")] == ["个", "箱"]
    assert column.reader(DEFAULTS.code_maps)(make_detail(unit="pcs")) == "pcs"
