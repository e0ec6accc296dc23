from __future__ import annotations

import pytest
from xml_names import make_xml_names

from image_gender_classifier.listing import PictureFolder


@pytest.mark.parametrize("names", [["a.jpg"], ["a.jpg", "a.png", "b.gif"], ["n" * 252 + ".jpg"]])
def test_a_folder_gives_its_pictures_with_the_names_of_their_xml_files(names: list[str]) -> None:
    folder = PictureFolder("sub", tuple(names))
    xml = [f"sub/{name}" for name in make_xml_names(names)]
    assert [picture.xml for picture in folder.pictures] == xml
    assert [picture.file for picture in folder.pictures] == list(folder.files)
