"""Walks the XML parts of a workbook element by element; a document type is refused, so no entity ever expands."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from xml.parsers import expat

from gm_service.orders.imports.files.package import Package
from gm_service.orders.imports.files.refusals import FileRefused

OnElement = Callable[[str, dict[str, str]], None]
WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A worksheet and the part that holds its cells."""

    name: str
    part: str


def make_parser(on_element: OnElement) -> expat.XMLParserType:
    """Return a parser that calls `on_element` with each element's local name and attributes."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def begin(name: str, attributes: dict[str, str]) -> None:
        on_element(name.rpartition(":")[2] if ":" in name else name, attributes)

    def refuse_document_type(*_: object) -> None:
        raise FileRefused("damaged", detail="DOCTYPE")

    parser.StartElementHandler = begin
    parser.StartDoctypeDeclHandler = refuse_document_type
    return parser


def parse(parser: expat.XMLParserType, xml: bytes, part: str) -> None:
    """Walk through one part.

    Raises:
        FileRefused: it is no XML.
    """
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise FileRefused("damaged", detail=part) from error


def list_visible_sheets(package: Package) -> list[SheetPart]:
    """Return the worksheets that a person sees, in their order; charts and macro sheets are none."""
    targets: dict[str, str] = {}
    sheets: list[tuple[str, str]] = []

    def on_relation(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            targets[attributes.get("Id", "")] = _part_name(attributes.get("Target", ""))

    def on_workbook(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet" and attributes.get("state", "visible") == "visible":
            relation = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            sheets.append((attributes.get("name", ""), relation))

    parse(make_parser(on_relation), package.read(RELATIONS), RELATIONS)
    parse(make_parser(on_workbook), package.read(WORKBOOK), WORKBOOK)
    return [SheetPart(name, targets[relation]) for name, relation in sheets if relation in targets]


def _part_name(target: str) -> str:
    """Return a relation's target as the name of a part: absolute from the package, else from xl/."""
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
