"""What can be wrong with a parameter, in Chinese; the English is written where the rule is.

Kept as one table beside the rules instead of two sentences in each of them: a rule reads as one line, and a test
asks every refusal of the API for its Chinese.
"""

from __future__ import annotations

import re

_MOMENT = "2026-01-31 06:00:00"
_TABLE: tuple[tuple[str, str], ...] = (
    (r"there is no such parameter", "没有这个参数"),
    (r"it is required", "必填"),
    (r"it is required for query_type (\d)", r"query_type 为 \1 时必填"),
    (r"it must be a whole number", "应为整数"),
    (r"it must be a text", "应为文本"),
    (r"it must be a list", "应为列表"),
    (r"it must be an object", "应为对象"),
    (r"it must be true or false", "应为 true 或 false"),
    (r"it must be at least (\S+)", r"不能小于 \1"),
    (r"it must be at most (\S+)", r"不能大于 \1"),
    (r"it must be one of (.+)", r"应为以下之一：\1"),
    (r"it must not be longer than (\d+)", r"长度不能超过 \1"),
    (r"it must not be shorter than (\d+)", r"长度不能少于 \1"),
    (r"it must not be empty", "不能为空"),
    (r"it must not begin or end with a blank", "首尾不能有空格"),
    (r"it has characters that are not taken here", "含有不允许的字符"),
    (r"it must be a dotted path such as (\S+)", r"应为点分路径，如 \1"),
    (rf"it must be a date and time such as {_MOMENT}", f"应为日期时间，如 {_MOMENT}"),
    (r"it must be a date such as (\S+)", r"应为日期，如 \1"),
    (r"it must be within (\S+) and (\S+)", r"应在 \1 与 \2 之间"),
    (r"it must not be before (\w+)", r"不能早于 \1"),
    (r"it may be at most (\d+) days after (\w+)", r"最多晚于 \2 \1 天"),
    (r"it must not repeat a value", "不能重复"),
    (r"it is not valid", "格式不对"),
    (r"(\w+) or (\w+) is required", r"\1 与 \2 至少填一个"),
    (r"(\w+) and (\w+) are one thing and must agree", r"\1 与 \2 是同一参数，取值必须一致"),
    (r"only the result has places inside", "只有 result 有内部位置"),
    (r"only (.+) can be updated", r"只能更新 \1"),
    (r"a status is one of (.+)", r"状态应为 \1 之一"),
    (r"progress is a whole number from 0 to 100", "进度应为 0 到 100 的整数"),
    (r"a reason is a text of at most (\d+) characters", r"原因应为不超过 \1 个字符的文本"),
    (r"message_show is true or false", "message_show 应为 true 或 false"),
    (r"several stations have this user_task_id; name one", "多个站点有此编号，请指明站点"),
    (r"an index stands twice in one chunk", "同一批中序号重复"),
    (r"an index is not below total \((\d+)\)", r"序号不小于总数 \1"),
    (r"it has a character that can't be stored.*", "含有无法保存的字符（NUL 或半个代理对）"),
    (r"a text has a character that can't be stored.*", "文本含有无法保存的字符（NUL 或半个代理对）"),
    (r"the body must be a JSON object", "请求体应为 JSON 对象"),
    (r"the request is malformed", "请求格式错误"),
    (r"it is not UTF-8", "不是 UTF-8 编码"),
    (r"it is not JSON \((.+) at character (\d+)\)", r"不是 JSON（第 \2 个字符处出错）"),
    (r"it is nested deeper than (\d+) levels", r"嵌套超过 \1 层"),
    (r"(\S+) is not a JSON number", r"\1 不是 JSON 数字"),
    (r"an integer is outside 64 bits", "整数超出 64 位"),
    (r"a number is too large", "数字过大"),
    (r"a key stands twice in one object", "同一对象中键重复"),
    (r"it must begin with \$", "应以 $ 开头"),
    (r"it is longer than (\d+) characters", r"超过 \1 个字符"),
    (r"it has more than (\d+) steps", r"超过 \1 级"),
    (r"character (\d+) begins no step .*", r"第 \1 个字符处不是 .name 或 [n]"),
    (r"a name has a character that can't be stored", "名称含有无法保存的字符"),
    (r"there is no \[(\d+)\] yet", r"尚无 [\1]"),
    (r"there is no member (.+) yet", r"尚无成员 \1"),
    (r"the list has (\d+) items, \[(\d+)\] is past its end", r"列表有 \1 项，[\2] 越界"),
    (r"\[(\d+)\] needs a list there", r"[\1] 处应为列表"),
    (r"the member (.+) needs an object there", r"成员 \1 处应为对象"),
)


def in_chinese(problem: str) -> str:
    """Return the problem in Chinese; one that is not in the table as it is."""
    for pattern, chinese in _TABLE:
        match = re.fullmatch(pattern, problem)
        if match:
            return match.expand(chinese)
    return problem
