"""Vouchers balance whatever is ordered, and no text breaks their file."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gm_service.orders.exports.vouchers import Unbalanced, VoucherBook, require_balance
from gm_service.orders.models import OrderStatus
from gm_service.yongyou import DEFAULTS, YongyouSettings
from tests.support.export_rows import make_detail, write_file

amounts = st.decimals("-9999999.99", "9999999.99", places=2)
rates = st.sampled_from(["0", "3", "9", "13", "100"]).map(Decimal)
texts = st.text(max_size=80)


def read(content: bytes) -> list[list[str]]:
    """Return the fields of the entries as the ledger tool reads them: by line and comma, nothing quoted."""
    first, *lines = content.decode("gbk").removesuffix("\r\n").split("\r\n")
    assert first == "填制凭证,V800"
    return [line.split(",") for line in lines]


@given(
    st.lists(st.lists(amounts, min_size=1, max_size=8), max_size=8),
    rates,
    st.dates(date(2010, 1, 1), date(2010, 3, 31)),
    st.sampled_from(OrderStatus),
)
def test_every_voucher_in_the_file_balances(
    orders: list[list[Decimal]], rate: Decimal, day: date, status: OrderStatus
) -> None:
    rows = [[make_detail(amount=each, receive_date=day, status=status) for each in order] for order in orders]

    entries = read(write_file("yongyou_voucher", rows, yongyou=YongyouSettings(tax_rate=rate)))

    sides: dict[tuple[str, str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for day_text, kind, number, _papers, _summary, _account, debit, credit, *_others in entries:
        assert (Decimal(debit) == 0) != (Decimal(credit) == 0)
        sides[day_text, kind, number][0] += Decimal(debit)
        sides[day_text, kind, number][1] += Decimal(credit)
    booked = [sum(order) for order in orders if sum(order) < 0 or (sum(order) and status != OrderStatus.CANCELLED)]
    assert list(sides.values()) == [[each, each] for each in booked]


def test_entries_that_differ_are_refused() -> None:
    entries = VoucherBook(DEFAULTS).enter([make_detail()])
    spoilt = [entries[0]._replace(debit=entries[0].debit + Decimal("0.01")), *entries[1:]]

    with pytest.raises(Unbalanced, match=r"debit 15\.31, credit 15\.30"):
        require_balance(spoilt)


def test_sale_is_owed_by_the_buyer_and_earned_without_tax() -> None:
    entries = VoucherBook(DEFAULTS).enter([make_detail(amount="113.00")])

    assert [(each.account, each.debit, each.credit, each.customer) for each in entries] == [
        ("1122", Decimal(113), Decimal(0), "017850"),
        ("6001", Decimal(0), Decimal(100), ""),
        ("22210101", Decimal(0), Decimal(13), ""),
    ]


def test_tax_of_a_voucher_is_that_of_the_sales_order() -> None:
    entries = VoucherBook(DEFAULTS).enter([make_detail(amount="1.00")] * 3)

    assert [each.credit for each in entries] == [Decimal(0), Decimal("2.65"), Decimal("0.35")]


def test_return_is_entered_in_red_on_the_same_sides() -> None:
    entries = VoucherBook(DEFAULTS).enter([make_detail(amount="-113.00", status=OrderStatus.CANCELLED)])

    assert [(each.debit, each.credit) for each in entries] == [(-113, 0), (0, -100), (0, -13)]
    assert entries[0].summary.startswith("退货 ")


def test_rate_of_nothing_leaves_out_the_entry_of_the_tax() -> None:
    entries = VoucherBook(YongyouSettings(tax_rate=Decimal(0))).enter([make_detail()])

    assert [each.account for each in entries] == ["1122", "6001"]


@pytest.mark.parametrize(
    ("amount", "status"),
    [("0.00", OrderStatus.CONFIRMED), ("15.30", OrderStatus.CANCELLED), ("0.00", OrderStatus.CANCELLED)],
)
def test_order_that_sold_nothing_is_not_booked(amount: str, status: OrderStatus) -> None:
    assert VoucherBook(DEFAULTS).enter([make_detail(amount=amount, status=status)]) == []


def test_order_without_lines_is_not_booked() -> None:
    assert VoucherBook(DEFAULTS).enter([]) == []


def test_numbers_begin_anew_each_month() -> None:
    book = VoucherBook(DEFAULTS)
    days = [date(2010, 12, 30), date(2010, 12, 31), date(2011, 1, 1), date(2010, 12, 31)]

    numbers = [book.enter([make_detail(receive_date=day)])[0].number for day in days]

    assert numbers == [1, 2, 1, 3]


@given(texts, texts, texts)
def test_no_text_breaks_the_file(order_no: str, buyer_name: str, buyer_code: str) -> None:
    rows = [make_detail(order_no=order_no, buyer_name=buyer_name, buyer_code=buyer_code)]

    entries = read(write_file("yongyou_voucher", [rows]))

    assert [len(entry) for entry in entries] == [21] * 3
    assert all(len(field.encode("gbk")) <= 60 for entry in entries for field in entry)
    assert not any('"' in field or not field.isprintable() for entry in entries for field in entry if field.isascii())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王府井店", "王府井店"),
        ("a,b", "a，b"),
        ('the "big" one', "the ＂big＂ one"),
        ("two\r\nlines\tand\x00more", "two lines and more"),
        ("𠮷野家 🍎 €5", "〓野家 〓 〓5"),
        ("店" * 40, "店" * 24 + "…"),
    ],
)
def test_text_shows_what_was_done_to_it(name: str, shown: str) -> None:
    content = write_file("yongyou_voucher", [[make_detail(buyer_name=name)]])

    assert read(content)[0][4] == f"销售 A-1 {shown}"
