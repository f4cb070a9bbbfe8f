"""Why an uploaded file can't be taken: a code, and sentences in en and zh that say what to do.

Light, because the reading child imports it; `reading` makes the project's errors of it.
"""

from __future__ import annotations

_SENTENCES: dict[str, tuple[str, str]] = {
    "empty": ("The file is empty.", "文件为空。"),
    "no_rows": (
        "The file has a title line but no rows under it.",
        "文件只有标题行，没有数据行。",
    ),
    "old_xls": (
        "This is an old .xls workbook; open it in Excel and save it as .xlsx.",
        "这是旧版 .xls 工作簿，请在 Excel 中另存为 .xlsx。",
    ),
    "encrypted": (
        "The workbook is protected by a password; remove the password and save it again.",
        "工作簿设有密码，请取消密码后重新保存。",
    ),
    "macros": (
        "The workbook has macros (.xlsm); save it as .xlsx, which has none.",
        "工作簿含有宏（.xlsm），请另存为不含宏的 .xlsx。",
    ),
    "binary_workbook": (
        "This is a binary .xlsb workbook; save it as .xlsx.",
        "这是 .xlsb 二进制工作簿，请另存为 .xlsx。",
    ),
    "not_a_workbook": (
        "The file is no .xlsx workbook; only .xlsx and .csv are taken.",
        "文件不是 .xlsx 工作簿，仅支持 .xlsx 和 .csv。",
    ),
    "damaged": (
        "The workbook is damaged or was not written by a spreadsheet program ({detail}); open it in Excel and save it"
        " again as .xlsx.",
        "工作簿已损坏或不是由表格软件生成（{detail}），请用 Excel 打开并重新另存为 .xlsx。",
    ),
    "too_many_entries": (
        "The workbook is packed from more than {limit} parts; copy the rows into a new workbook.",
        "工作簿内部文件超过 {limit} 个，请把数据复制到新的工作簿。",
    ),
    "unpacks_too_large": (
        "The workbook unpacks to more than {limit}; split it or copy the rows into a new workbook.",
        "工作簿解压后超过 {limit}，请拆分或把数据复制到新的工作簿。",
    ),
    "no_visible_sheet": (
        "No visible sheet of the workbook has anything in it.",
        "工作簿中没有任何有内容的可见工作表。",
    ),
    "too_many_rows": (
        "The file has more than {limit} rows; split it.",
        "文件超过 {limit} 行，请拆分后上传。",
    ),
    "too_many_columns": (
        "Row {row} has more than {limit} columns; delete those that are not needed.",
        "第 {row} 行超过 {limit} 列，请删除不需要的列。",
    ),
    "too_many_cells": (
        "The sheet has too many cells; delete the rows and columns that are not needed.",
        "工作表的单元格过多，请删除不需要的行和列。",
    ),
    "too_far": (
        "There is something in cell {cell}, far outside of the table; delete the rows and columns that are not needed.",
        "单元格 {cell} 中有内容，但远在表格之外，请删除不需要的行和列。",
    ),
    "cell_too_long": (
        "Cell {cell} has more than {limit} characters.",
        "单元格 {cell} 超过 {limit} 个字符。",
    ),
    "field_too_long": (
        "Row {row} has a value of more than {limit} characters; is a quotation mark left open?",
        "第 {row} 行有一个值超过 {limit} 个字符，请检查引号是否未闭合。",
    ),
    "not_text": (
        "The file is neither a .xlsx workbook nor a text that can be read; save it as .xlsx or as CSV UTF-8.",
        "文件既不是 .xlsx 工作簿，也不是可识别的文本，请另存为 .xlsx 或 CSV UTF-8。",
    ),
    "bad_quotes": (
        "A quotation mark is not closed, or stands where none may be, in the record that begins in row {row}.",
        "第 {row} 行开始的记录中引号未闭合或位置有误。",
    ),
    "takes_too_long": (
        "The file could not be read within {limit} seconds; split it or copy the rows into a new workbook.",
        "{limit} 秒内未能读完文件，请拆分或把数据复制到新的工作簿。",
    ),
    "takes_too_much": (
        "Reading the file takes more memory than is allowed ({limit} MiB); split it or copy the rows into a new"
        " workbook.",
        "读取文件所需内存超过上限（{limit} MiB），请拆分或把数据复制到新的工作簿。",
    ),
    "unreadable": (
        "The file can't be read; open it in Excel and save it again as .xlsx or CSV UTF-8.",
        "文件无法读取，请用 Excel 打开并重新另存为 .xlsx 或 CSV UTF-8。",
    ),
}


class FileRefused(Exception):
    """The file can't be taken; `code` names the sentence, `facts` fill it."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def sentences(code: str, facts: dict[str, object]) -> tuple[str, str]:
    """Return what is wrong with the file and what to do, in en and zh."""
    en, zh = _SENTENCES[code]
    return en.format_map(facts), zh.format_map(facts)
