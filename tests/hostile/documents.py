"""Reads documents as the programs they are made for would, and lists what is more than text in them.

It may not know what was put in.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import html5lib
from markdown_it import MarkdownIt

_HTML, _SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
_WORDS = {
    "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "span", "div", "nav", "ol", "li",
    "a", "main", "section", "ul", "dl", "dt", "dd", "data", "small", "figure", "figcaption", "b", "i", "aside", "table",
    "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "pre", "footer", "code",
}  # fmt: skip
_DRAWN = {"svg", "g", "path", "text", "line", "rect", "circle"}
_ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "aria-label", "href", "id", "value", "scope", "data-label",
    "style", "viewBox", "width", "height", "overflow", "role", "fill", "stroke-miterlimit", "transform", "aria-hidden", "d",
    "pointer-events", "text-anchor", "font-family", "font-size", "font-weight", "opacity", "display", "x", "y", "x1", "x2",
    "y1", "y2", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "fill-opacity",
    "tabindex", "open", "rowspan", "colspan",
}  # fmt: skip
_MARKDOWN = {
    "html", "head", "body", "h1", "h2", "p", "ul", "li", "strong", "em", "table", "thead", "tbody", "tr", "th", "td",
    "pre", "code",
}  # fmt: skip
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = re.compile(r"(?:[a-z-]+:\s*[\w.%#(), -]+;?\s*)+")  # no url(), no expression
_LIVE = {"f", "hyperlink", "hyperlinks", "oleObject", "externalReference", "ddeLink", "dataValidation", "cfRule"}
_JOINERS = "\u200c\u200d"


def steering(text: str, *, lines: bool = True) -> list[str]:
    """Characters of a text that steer a terminal or reorder what is read: control (C0, C1), format, private, lone surrogates."""
    kept = "\n" if lines else ""
    return [
        f"U+{ord(sign):04X}"
        for sign in text
        if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and sign not in kept and sign not in _JOINERS
    ]


def page(source: str) -> list[str]:
    """What a browser would find in the page that is not the page's own: elements, handlers, links, and a missing policy."""
    tree = html5lib.parse(source)
    found: list[str] = []
    policies = [one.get("content") for one in tree.iter(f"{_HTML}meta") if one.get("http-equiv") == "Content-Security-Policy"]
    found += [] if policies == [_POLICY] else [f"policies {policies}"]
    found += [] if len(list(tree.iter(f"{_HTML}style"))) == 1 else ["style elements"]
    for element in tree.iter():
        if not isinstance(element.tag, str):
            found.append("a comment")
            continue
        space, _, name = element.tag.rpartition("}")
        allowed = _WORDS if f"{space}}}" == _HTML else _DRAWN if f"{space}}}" == _SVG else set()
        if name not in allowed:
            found.append(f"<{name}>")
        found += _attributes(element)
    return found + [f"shown {one}" for one in steering("".join(tree.itertext()), lines=True)]


def picture(source: str) -> list[str]:
    """The same of a figure in a file of its own, which a browser would open as XML."""
    root = ElementTree.fromstring(source)
    found = [f"<{one.tag}>" for one in root.iter() if one.tag.removeprefix(_SVG) not in _DRAWN]
    return found + [one for element in root.iter() for one in _attributes(element)] + steering("".join(root.itertext()))


def _attributes(element: ElementTree.Element) -> list[str]:
    found = []
    for name, value in element.attrib.items():
        bare = name.rpartition("}")[2]
        wrong = bare not in _ATTRIBUTES and bare != "xmlns"
        wrong |= bare == "href" and not re.fullmatch(r"#[\w-]+", value)
        wrong |= bare == "style" and not _STYLE.fullmatch(value)
        wrong |= bare == "http-equiv" and value != "Content-Security-Policy"
        found += [f"{bare}={value[:40]}"] if wrong else []
    return found


def markdown(source: str) -> list[str]:
    """What a reader of Markdown that lets HTML through would make of it beyond headings, lists, tables, bold and code."""
    drawn = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(source)
    tree = html5lib.parse(drawn)
    found = []
    for element in tree.iter():
        name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else "comment"
        found += [f"<{name}>"] if name not in _MARKDOWN else []
        found += [
            f"{one}={value}" for one, value in element.attrib.items() if one != "style" or not value.startswith("text-align")
        ]
    return found + steering(source)


def workbook(path: Path) -> list[str]:
    """Formulas, links, macros, drawings and outside references of a workbook."""
    found = []
    with zipfile.ZipFile(path) as book:
        for name in book.namelist():
            if not re.fullmatch(
                r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(app|core)\.xml|"
                r"xl/(workbook|styles|sharedStrings|metadata)\.xml|xl/_rels/workbook\.xml\.rels|xl/theme/theme1\.xml|"
                r"xl/worksheets/sheet\d+\.xml",
                name,
            ):
                found.append(name)
            root = ElementTree.fromstring(book.read(name))
            for one in root.iter():
                tag = one.tag.rpartition("}")[2]
                if tag in (
                    "f",
                    "hyperlink",
                    "hyperlinks",
                    "oleObject",
                    "externalReference",
                    "ddeLink",
                    "dataValidation",
                    "cfRule",
                ):
                    found.append(f"<{tag}> in {name}")
                found += ["TargetMode"] if one.get("TargetMode") == "External" else []
    return found
