"""Whatever people write, U8 reads the same text from the XML."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.export_rows import make_detail, write_file


@given(st.text(max_size=60))
@example("</memo><code>X</code>")
@example("]]>")
@example('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>&b;')
@example("a\r\nb\tc")
@example("\x00\x1b\ud800\ufffe")
def test_text_comes_back_as_it_was(text: str) -> None:
    content = write_file("yongyou_xml", [[make_detail(remark=text, buyer_code=text, sku_code=text)]])

    root = ElementTree.fromstring(content)
    readable = re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
    assert root.findtext("saleorder/header/memo") == readable
    assert root.findtext("saleorder/header/custcode") == readable
    assert root.findtext("saleorder/body/entry/inventorycode") == readable
    assert b"<!DOCTYPE" not in content


def test_order_without_lines_is_left_out() -> None:
    root = ElementTree.fromstring(write_file("yongyou_xml", [[], [make_detail()], []]))

    assert len(root) == 1


def test_file_of_nothing_is_whole() -> None:
    assert len(ElementTree.fromstring(write_file("yongyou_xml", []))) == 0
