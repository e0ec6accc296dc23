"""Merging into XMP sidecars; ExifTool, where it is installed, reads them back."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from image_gender_classifier.outputs.regions import Region
from image_gender_classifier.outputs.sidecar import Content, find_run, merge
from image_gender_classifier.outputs.xmp_terms import LabelledRegion

FACE = LabelledRegion(Region(0.5, 0.25, 0.2, 0.1), "perceived gender: female (0.98)")
CONTENT = Content("0123456789ab", "female", (4000, 3000), (FACE,))
NOTHING = Content("fedcba987654")
# As digiKam and darktable write them: all forms of RDF, a comment, line breaks in values.
FOREIGN = """\
<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 5.6.0">
 <r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <!-- kept -->
  <r:Description r:about="uuid:1"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:digiKam="http://www.digikam.org/ns/1.0/"
    xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
    xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"
    xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
   xmp:Rating="4" xmp:Label="a&#10;b &amp; &lt;c&gt; &quot;d&quot;">
   <dc:subject>
    <r:Bag>
     <r:li>holiday</r:li>
    </r:Bag>
   </dc:subject>
   <digiKam:TagsList>
    <r:Seq>
     <r:li>People/Ann</r:li>
    </r:Seq>
   </digiKam:TagsList>
   <mwg-rs:Regions r:parseType="Resource">
    <mwg-rs:AppliedToDimensions stDim:w="4000" stDim:h="3000" stDim:unit="pixel"/>
    <mwg-rs:RegionList>
     <r:Bag>
      <r:li>
       <r:Description mwg-rs:Name="Ann" mwg-rs:Type="Face">
       <mwg-rs:Area stArea:x="0.8" stArea:y="0.8" stArea:w="0.1" stArea:h="0.1"
        stArea:unit="normalized"/>
       </r:Description>
      </r:li>
     </r:Bag>
    </mwg-rs:RegionList>
   </mwg-rs:Regions>
  </r:Description>
 </r:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def exiftool(path: Path) -> dict[str, Any]:
    """Returns the properties that ExifTool finds in a file, in structures."""
    program = shutil.which("exiftool")
    if program is None:
        pytest.skip("ExifTool is not installed (Debian: libimage-exiftool-perl)")
    words = [program, "-json", "-struct", "-validate", "-warning", "-XMP:all", str(path)]
    (values,) = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    assert "Warning" not in values
    return dict(values)


def same(one: bytes, other: bytes) -> bool:
    return bool(
        etree.tostring(etree.fromstring(one), method="c14n2", strip_text=True)
        == etree.tostring(etree.fromstring(other), method="c14n2", strip_text=True)
    )


def test_exiftool_reads_a_new_sidecar(tmp_path: Path) -> None:
    (tmp_path / "a.jpg.xmp").write_bytes(merge(None, CONTENT))
    values = exiftool(tmp_path / "a.jpg.xmp")
    assert values["Subject"] == ["perceived gender|female"]
    assert values["HierarchicalSubject"] == ["perceived gender|female"]
    info = values["RegionInfo"]
    assert info["AppliedToDimensions"] == {"W": 4000, "H": 3000, "Unit": "pixel"}
    assert info["RegionList"] == [
        {
            "Area": {"X": 0.5, "Y": 0.25, "W": 0.2, "H": 0.1, "Unit": "normalized"},
            "Type": "Face",
            "Description": "perceived gender: female (0.98)",
        }
    ]


def test_exiftool_reads_a_merged_sidecar(tmp_path: Path) -> None:
    (tmp_path / "a.jpg.xmp").write_bytes(merge(FOREIGN.encode(), CONTENT))
    values = exiftool(tmp_path / "a.jpg.xmp")
    assert values["Subject"] == ["holiday", "perceived gender|female"]
    assert values["TagsList"] == ["People/Ann", "perceived gender/female"]
    assert values["HierarchicalSubject"] == ["perceived gender|female"]
    assert (values["Rating"], values["Label"]) == (4, 'a\nb & <c> "d"')
    regions = values["RegionInfo"]["RegionList"]
    assert [region.get("Name") for region in regions] == ["Ann", None]
    assert [region["Area"]["X"] for region in regions] == [0.8, 0.5]


@pytest.mark.parametrize("existing", [None, FOREIGN.encode(), b"\xef\xbb\xbf" + FOREIGN.encode()])
def test_merging_again_replaces_only_the_own_content(existing: bytes | None) -> None:
    merged = merge(existing, CONTENT)
    assert merge(merged, CONTENT) == merged
    assert find_run(merged) == CONTENT.run
    other = CONTENT._replace(run="f" * 12, gender="male", regions=())
    changed = merge(merged, other)
    assert b"female" not in changed and b"perceived gender|male" in changed
    assert merge(changed, CONTENT) == merged
    removed = merge(changed, NOTHING)
    assert find_run(removed) is None
    assert same(removed, existing or merge(None, NOTHING))


def test_everything_else_stays_byte_for_byte() -> None:
    lines = merge(FOREIGN.encode(), CONTENT).decode().splitlines()
    attributes = ("xmlns:", "xmp:Rating", "stArea:unit", "<r:Description r:about", "<mwg-rs:Area")
    kept = [line for line in FOREIGN.splitlines() if not line.strip().startswith(attributes)]
    left = iter(lines)
    assert [line for line in kept if line not in left] == []  # in this order


def test_a_face_that_a_person_has_marked_gets_no_second_region() -> None:
    marked = CONTENT._replace(
        regions=(FACE, FACE._replace(region=Region(0.81, 0.8, 0.1, 0.12))),
    )
    root = etree.fromstring(merge(FOREIGN.encode(), marked))
    (areas,) = (root.findall(".//{*}Regions"),)
    assert len(areas[0].findall(".//{*}Area")) == 2


def test_a_region_that_a_person_has_named_stays() -> None:
    face = b'mwg-rs:Type="Face"'
    named = merge(None, CONTENT).replace(face, face + b' mwg-rs:Name="A"')
    assert b'mwg-rs:Name="A"' in merge(named, NOTHING)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not well-formed"),
        (b"\xff\xfe", "not well-formed"),
        (FOREIGN.encode()[:-60], "not well-formed"),
        (b"<svg/>", "not XMP"),
        (b'<?xml version="1.0" encoding="UTF-99"?><x/>', "not well-formed"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "document type"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'.encode("utf-16-le"), "document type"),
        (FOREIGN.replace("r:Bag", "r:Alt").encode(), "unknown form"),
        (FOREIGN.replace("holiday", "<a>" * 2000 + "</a>" * 2000).encode(), "nested too deeply"),
        (FOREIGN.replace("holiday", "<a/>" * 200_000).encode(), "too large"),
    ],
    ids=range(10),
)
def test_a_file_that_cannot_be_merged_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        merge(data, CONTENT)
