"""Merges face regions and a keyword into an XMP sidecar; everything else in it stays.

Regions follow the "Guidelines For Handling Image Metadata" (2010) of the Metadata Working Group.
Ours have a description, but no name; keywords and regions of others stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple
from xml.dom.minidom import Document, Element, parseString
from xml.parsers.expat import ExpatError

from image_gender_classifier.outputs.regions import Region, is_same_face
from image_gender_classifier.outputs.xml import create_parser
from image_gender_classifier.outputs.xml_tree import (
    append_element,
    child_elements,
    read_text,
    remove_node,
    serialise,
)
from image_gender_classifier.outputs.xmp_terms import (
    AREA,
    EMPTY,
    KEYWORD_LISTS,
    MARK,
    MWG,
    OWN,
    RDF,
    LabelledRegion,
    format_description,
    format_keywords,
    format_region,
    format_regions,
)

_MOST_TAGS = 100_000  # start and end tags: the tree of more needs too much memory


class Content(NamedTuple):
    """The content that is merged into the sidecar of a picture.

    Attributes:
        run: Key of the prediction; see `xmp_folder`.
        gender: The keyword below `MARK`; None for none.
        size: Width and height of the stored picture in pixels.
        regions: The faces.
    """

    run: str
    gender: str | None = None
    size: tuple[int, int] = (0, 0)
    regions: Sequence[LabelledRegion] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to merge."""
        return self.gender is None and not self.regions


def find_run(data: bytes) -> str | None:
    """Returns the key (`Content.run`) that was merged into a sidecar, or None.

    Raises:
        ValueError: The file is not XMP.
    """
    _, root = _parse(data)
    runs = (_read_field(description, OWN, "run") for description in _descriptions(root))
    return next(filter(None, runs), None)


def merge(existing: bytes | None, content: Content) -> bytes:
    """Returns a sidecar with the content instead of that of an earlier run.

    Args:
        existing: The sidecar; None if there is none.
        content: The new content. If it is empty, that of the earlier run is only removed.

    Raises:
        ValueError: The existing file is not XMP, or one of its lists has an unknown form.
    """
    data = EMPTY if existing is None else existing
    try:
        document, root = _parse(data)
        for description in list(_descriptions(root)):
            _remove_ours(description)
        if not content.is_empty:
            _add(document, root, content)
        return serialise(document, data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _parse(data: bytes) -> tuple[Document, Element]:
    """Returns the document and its `rdf:RDF`."""
    if data.count(b"<") > _MOST_TAGS:
        raise ValueError("it is too large")
    try:
        data.decode("utf-8")
        create_parser().Parse(data, True)
        document = parseString(data)
    except (ExpatError, UnicodeDecodeError, LookupError):
        raise ValueError("it is not well-formed XML in UTF-8") from None
    top = document.documentElement
    assert top is not None
    if (top.namespaceURI, top.localName) == (RDF, "RDF"):
        return document, top
    for root in child_elements(top, RDF, "RDF"):
        return document, root
    raise ValueError("it is not XMP")


def _remove_ours(description: Element) -> None:
    """Removes what an earlier run added, and the `rdf:Description` itself if nothing is left."""
    ours: list[Element] = list(child_elements(description, OWN, "run"))
    for each in KEYWORD_LISTS:
        for keywords in child_elements(description, each.namespace, each.name):
            items = list(_items(keywords))
            marked = [item for item in items if read_text(item).startswith(each.keyword(""))]
            ours += [keywords] if items == marked != [] else marked
    for regions in child_elements(description, MWG, "Regions"):
        items = [item for listed in _fields(regions, MWG, "RegionList") for item in _items(listed)]
        marked = list(filter(_is_ours, items))
        ours += [regions] if items == marked != [] else marked
    had_run = description.hasAttributeNS(OWN, "run")
    if had_run:
        description.removeAttributeNS(OWN, "run")
    for element in ours:
        remove_node(element)
    left = {name for name, _ in description.attributes.items() if not name.startswith("xmlns:")}
    has_children = any(isinstance(child, Element) for child in description.childNodes)
    if (ours or had_run) and not has_children and left <= {f"{description.prefix}:about"}:
        remove_node(description)


def _add(document: Document, root: Element, content: Content) -> None:
    present = list(_descriptions(root))
    about = present[0].getAttributeNS(RDF, "about") if present else ""
    properties: list[str] = []
    if content.gender is not None:
        for each in KEYWORD_LISTS:
            lists = [k for d in present for k in child_elements(d, each.namespace, each.name)]
            if lists:
                bag = _require_container(lists[0])
                item = document.createElementNS(RDF, f"{bag.prefix}:li")
                item.appendChild(document.createTextNode(each.keyword(content.gender)))
                append_element(bag, item)
            elif each.added:
                properties.append(format_keywords(each, content.gender))
    regions = [r for d in present for r in child_elements(d, MWG, "Regions")]
    if regions:
        _add_regions(document, regions[0], content.regions)
    elif content.regions:
        properties.append(format_regions(content.size, content.regions))
    text = format_description("", content.run, properties)
    added = _import(document, text)
    added.setAttributeNS(RDF, "rdf:about", about)
    if root.prefix == "rdf":
        added.removeAttribute("xmlns:rdf")  # the root has it
    append_element(root, added)


def _add_regions(document: Document, regions: Element, added: Sequence[LabelledRegion]) -> None:
    """Adds regions to those of others, except of faces that these have marked already."""
    lists = list(_fields(regions, MWG, "RegionList"))
    if not lists:
        raise ValueError("its list of regions has an unknown form")
    container = _require_container(lists[0])
    known = [region for item in _items(lists[0]) if (region := _read_region(item))]
    for each in added:
        if not any(is_same_face(each.region, other) for other in known):
            append_element(container, _import(document, format_region(each)))


def _import(document: Document, text: str) -> Element:
    """Returns an element of XML text that uses our prefixes, with the declarations it needs."""
    declared = f'<x xmlns:rdf="{RDF}" xmlns:mwg-rs="{MWG}" xmlns:stArea="{AREA}">{text}</x>'
    parsed = parseString(declared.encode()).documentElement
    assert parsed is not None
    first = parsed.firstChild
    assert isinstance(first, Element)
    element = document.importNode(first, deep=True)
    for prefix, namespace in (("rdf", RDF), ("mwg-rs", MWG), ("stArea", AREA)):
        if f"{prefix}:" in text and not element.hasAttribute(f"xmlns:{prefix}"):
            element.setAttribute(f"xmlns:{prefix}", namespace)
    return element


def _descriptions(root: Element) -> Iterator[Element]:
    return child_elements(root, RDF, "Description")


def _require_container(listed: Element) -> Element:
    """Returns the `rdf:Bag` or `rdf:Seq` of a list."""
    for kind in ("Bag", "Seq"):
        for container in child_elements(listed, RDF, kind):
            return container
    raise ValueError(f"its {listed.tagName} has an unknown form")


def _items(listed: Element) -> Iterator[Element]:
    for kind in ("Bag", "Seq", "Alt"):
        for container in child_elements(listed, RDF, kind):
            yield from child_elements(container, RDF, "li")


def _is_ours(region: Element) -> bool:
    named = _read_field(region, MWG, "Name")
    return not named and _read_field(region, MWG, "Description").startswith(MARK)


def _read_region(item: Element) -> Region | None:
    for area in _fields(item, MWG, "Area"):
        with suppress(ValueError):
            return Region(*(float(_read_field(area, AREA, name)) for name in "xywh"))
    return None


def _fields(struct: Element, namespace: str, name: str) -> Iterator[Element]:
    """Yields the elements of a field of a structure, in each of the forms that RDF allows."""
    yield from child_elements(struct, namespace, name)
    for nested in child_elements(struct, RDF, "Description"):
        yield from child_elements(nested, namespace, name)


def _read_field(struct: Element, namespace: str, name: str) -> str:
    """Returns a field of a structure, which may be an attribute or an element; "" if missing."""
    for place in (struct, *child_elements(struct, RDF, "Description")):
        if place.hasAttributeNS(namespace, name):
            return place.getAttributeNS(namespace, name)
    return next((read_text(field) for field in _fields(struct, namespace, name)), "")
