"""HTML in tests, parsed into elements of ElementTree.

`page.find(".//a[@rel='next']")` and `page.iterfind(…)` take the XPath of the standard library; `with_class` finds by
class, which that XPath cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Protocol
from xml.etree.ElementTree import Element, TreeBuilder, tostring

VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)  # fmt: skip
NOT_READ = frozenset(("head", "script", "style", "template"))
"""Elements whose text a page does not show."""


class Response(Protocol):
    """A response of Django's test client, or of requests."""

    @property
    def text(self) -> str: ...


def parse(html: str) -> Element:
    """Parse a page or a part of one into an element `document`; an end tag without its start fails the test."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return parser.document()


def shown(response: Response) -> Element:
    """Parse a page as it is without script: without the templates that scripts fill in."""
    document = parse(response.text)
    for parent in document.iter():
        for template in parent.findall("template"):
            parent.remove(template)
    return document


def source(tree: Element) -> str:
    """Write an element as HTML again, with its attributes in order."""
    return tostring(tree, encoding="unicode", method="html")


def with_class(tree: Element, name: str) -> list[Element]:
    """Return the elements that have this class, in order."""
    return [element for element in tree.iter() if name in element.get("class", "").split()]


def attributes(tree: Element, path: str, name: str) -> list[str]:
    """Return this attribute of the elements on an XPath that have it, in order."""
    return [value for element in tree.iterfind(path) if (value := element.get(name)) is not None]


def text_in(element: Element) -> str:
    """Return the text of an element and of those inside it, as it is."""
    return "".join(element.itertext())


def words(tree: Element) -> str:
    """Return the text that a page shows, with single spaces, also between any two elements."""
    return " ".join(" ".join(_read(tree)).split())


def inline_code(tree: Element) -> list[Element]:
    """Return what a strict Content-Security-Policy forbids, unless a nonce or a hash allows it."""
    return [element for element in tree.iter() if _is_inline_code(element)]


def _is_inline_code(element: Element) -> bool:
    if element.tag == "style" or any(name == "style" or name.startswith("on") for name, _ in element.items()):
        return True
    return element.tag == "script" and element.get("src") is None and element.get("type") != "application/json"


def _read(element: Element) -> Iterator[str]:
    if element.tag not in NOT_READ:
        yield element.text or ""
        for inner in element:
            yield from _read(inner)
            yield inner.tail or ""


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self._tree = TreeBuilder()
        self._open = ["document"]
        self._tree.start("document", {})

    def document(self) -> Element:
        while self._open:
            self._tree.end(self._open.pop())
        return self._tree.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tree.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self._tree.end(tag)
        else:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1] == tag, f"</{tag}> at {self.getpos()} where <{self._open[-1]}> is open"
        self._tree.end(self._open.pop())

    def handle_data(self, data: str) -> None:
        self._tree.data(data)
