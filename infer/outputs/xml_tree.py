"""Reads, changes and writes an XML document without losing comments, prefixes or line breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.dom.minidom import Document, Element, Node

_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE = {**_TEXT, **str.maketrans({'"': "&quot;", "\t": "&#9;", "\n": "&#10;"})}
_BOM = b"\xef\xbb\xbf"


def serialise(document: Document, original: bytes) -> bytes:
    """Returns a document in UTF-8, with the byte order mark and declaration of the original.

    The parts of `minidom.toxml`, which loses line breaks in attributes.

    Raises:
        RecursionError: The document is nested too deeply.
    """
    bom = _BOM if original.startswith(_BOM) else b""
    declared = original.removeprefix(_BOM).startswith(b"<?xml ")
    parts = ['<?xml version="1.0" encoding="UTF-8"?>'] if declared else []
    parts += ["".join(_format(node)) for node in document.childNodes]
    return bom + ("\n".join(parts) + "\n").encode()


def child_elements(parent: Element, namespace: str, name: str) -> Iterator[Element]:
    """Yields the child elements of a name."""
    for child in parent.childNodes:
        if isinstance(child, Element) and (child.namespaceURI, child.localName) == (
            namespace,
            name,
        ):
            yield child


def read_text(element: Element) -> str:
    """Returns the text directly in an element, without surrounding white space."""
    texts = (Node.TEXT_NODE, Node.CDATA_SECTION_NODE)
    children = (child for child in element.childNodes if child.nodeType in texts)
    return "".join(child.nodeValue or "" for child in children).strip()


def remove_node(node: Element) -> None:
    """Removes an element with the white space before it."""
    parent: Any = node.parentNode
    before = node.previousSibling
    if before is not None and _is_space(before):
        parent.removeChild(before)
    parent.removeChild(node)


def append_element(parent: Element, child: Element) -> None:
    """Appends an element on a line of its own, one space deeper than its parent."""
    document = parent.ownerDocument
    assert document is not None
    depth, above = 0, parent
    while isinstance(above.parentNode, Element):
        depth, above = depth + 1, above.parentNode
    last = parent.lastChild
    if last is not None and _is_space(last):
        parent.removeChild(last)
    parent.appendChild(document.createTextNode("\n" + " " * (depth + 1)))
    parent.appendChild(child)
    parent.appendChild(document.createTextNode("\n" + " " * depth))


def _is_space(node: Node) -> bool:
    return node.nodeType == Node.TEXT_NODE and not (node.nodeValue or "").strip()


def _format(node: Node) -> Iterator[str]:
    if isinstance(node, Element):
        yield f"<{node.tagName}"
        for name, value in node.attributes.items():
            yield f' {name}="{value.translate(_ATTRIBUTE)}"'
        if not node.childNodes:
            yield "/>"
            return
        yield ">"
        for child in node.childNodes:
            yield from _format(child)
        yield f"</{node.tagName}>"
    elif node.nodeType == Node.TEXT_NODE:
        yield (node.nodeValue or "").translate(_TEXT)
    elif node.nodeType == Node.CDATA_SECTION_NODE:
        yield f"<![CDATA[{node.nodeValue}]]>"
    elif node.nodeType == Node.COMMENT_NODE:
        yield f"<!--{node.nodeValue}-->"
    elif node.nodeType == Node.PROCESSING_INSTRUCTION_NODE:
        yield f"<?{node.nodeName} {node.nodeValue}?>"
