"""The names, namespaces and XML of the XMP properties that a sidecar gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from image_gender_classifier.outputs.regions import Region

MARK = "perceived gender"
"""Start of our keywords and of the descriptions of our regions."""

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
META = "adobe:ns:meta/"
MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
AREA = "http://ns.adobe.com/xmp/sType/Area#"
OWN = "urn:image-gender-classifier:"

EMPTY = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="{META}">
 <rdf:RDF xmlns:rdf="{RDF}">
 </rdf:RDF>
</x:xmpmeta>
""".encode()
"""A sidecar without properties."""


class KeywordList(NamedTuple):
    """A property that lists keywords.

    Attributes:
        namespace: Its namespace.
        prefix: Usual prefix of the namespace.
        name: Its name.
        separator: What separates the levels of a keyword.
        added: Whether it is added to sidecars without it.
    """

    namespace: str
    prefix: str
    name: str
    separator: str = "|"
    added: bool = True

    def keyword(self, gender: str) -> str:
        """Returns our keyword for a gender."""
        return f"{MARK}{self.separator}{gender}"


KEYWORD_LISTS = (
    KeywordList("http://purl.org/dc/elements/1.1/", "dc", "subject"),
    KeywordList("http://ns.adobe.com/lightroom/1.0/", "lr", "hierarchicalSubject"),
    # digiKam reads no other list if there is this one.
    KeywordList("http://www.digikam.org/ns/1.0/", "digiKam", "TagsList", "/", added=False),
)
_DECLARED = "".join(
    f'\n    xmlns:{prefix}="{namespace}"'
    for prefix, namespace in (
        *((each.prefix, each.namespace) for each in KEYWORD_LISTS if each.added),
        *(("mwg-rs", MWG), ("stArea", AREA)),
        *(("stDim", "http://ns.adobe.com/xap/1.0/sType/Dimensions#"), ("igc", OWN)),
    )
)


class LabelledRegion(NamedTuple):
    """A face region.

    Attributes:
        region: Where the face is.
        text: The perceived gender; begins with `MARK`.
    """

    region: Region
    text: str


def format_description(about: str, run: str, properties: Sequence[str]) -> str:
    """Returns an `rdf:Description` with properties; needs the prefix `rdf`.

    Args:
        about: Value of `rdf:about`, escaped.
        run: The `run` of the prediction.
        properties: The properties as XML.
    """
    start = f'<rdf:Description rdf:about="{about}"{_DECLARED}\n   igc:run="{run}">'
    return "\n".join((start, *properties, "  </rdf:Description>"))


def format_keywords(keywords: KeywordList, gender: str) -> str:
    """Returns a list with our keyword as XML."""
    name = f"{keywords.prefix}:{keywords.name}"
    item = f"<rdf:li>{keywords.keyword(gender)}</rdf:li>"
    return f"   <{name}>\n    <rdf:Bag>\n     {item}\n    </rdf:Bag>\n   </{name}>"


def format_regions(size: tuple[int, int], regions: Sequence[LabelledRegion]) -> str:
    """Returns regions as XML.

    Args:
        size: Width and height of the stored picture in pixels.
        regions: The regions.
    """
    return "\n".join(
        (
            '   <mwg-rs:Regions rdf:parseType="Resource">',
            f'    <mwg-rs:AppliedToDimensions stDim:w="{size[0]}" stDim:h="{size[1]}"',
            '     stDim:unit="pixel"/>',
            "    <mwg-rs:RegionList>\n     <rdf:Bag>",
            *(f"      {format_region(region)}" for region in regions),
            "     </rdf:Bag>\n    </mwg-rs:RegionList>\n   </mwg-rs:Regions>",
        )
    )


def format_region(labelled: LabelledRegion) -> str:
    """Returns an item of the list of regions as XML; needs `rdf`, `mwg-rs` and `stArea`."""
    sides = zip("xywh", labelled.region, strict=True)
    area = "".join(f' stArea:{name}="{value:.6f}"' for name, value in sides)
    return (
        f'<rdf:li><rdf:Description mwg-rs:Type="Face" mwg-rs:Description="{labelled.text}">'
        f'<mwg-rs:Area{area} stArea:unit="normalized"/></rdf:Description></rdf:li>'
    )
