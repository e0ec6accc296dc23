"""The page in a real browser: as files without a server, and served."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from reviews import HOSTILE, Page, Review

from image_gender_classifier.cli.program import main as classify
from image_gender_classifier.manifest.cache_key import file_hash
from image_gender_classifier.outputs.corrections import (
    Correction,
    read_corrections,
    write_corrections,
)
from image_gender_classifier.outputs.escaping import escape_name
from image_gender_classifier.outputs.page.data import PageItem, PageSettings
from image_gender_classifier.outputs.page.static import StaticPage
from image_gender_classifier.outputs.picture_content import content_hash
from image_gender_classifier.results import Box, Face, Prediction

ORDER = ["astronaut.jpg", "rocket.jpg", "mona_lisa.jpg", escape_name(HOSTILE), "broken.jpg"]
PROGRAM = "import sys; from image_gender_classifier.review.program import main; sys.exit(main())"
Open = Callable[..., Page]


class View(NamedTuple):
    """A review that a browser can open.

    Attributes:
        url: Its address.
        review: Its folders.
        mode: `html` or `port`.
    """

    url: str
    review: Review
    mode: str


@contextmanager
def open_review(review: Review, mode: str) -> Iterator[str]:
    """Runs the command while the context is open; yields the address of the page."""
    html = review.pictures.parent / "review.html"
    way = ("--port", 0) if mode == "port" else ("--html", html)
    options = ["-i", review.pictures, "-o", review.output, *way]
    command = [sys.executable, "-c", PROGRAM, *map(str, options)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        if mode == "port":
            (url,) = (word for word in process.stderr.readline().split() if "http:" in word)
            yield url
            process.terminate()
        else:
            assert process.wait(60) == 0
            yield html.as_uri()


@pytest.fixture(scope="session")
def static(make_review: Callable[[], Review]) -> View:
    """A page that is a file, written by the command. Browser contexts share no corrections."""
    review = make_review()
    with open_review(review, "html") as url:
        return View(url, review, "html")


@pytest.fixture(params=["html", "port"])
def view(request: pytest.FixtureRequest, browser: Any) -> View:
    if request.param == "html":
        found: View = request.getfixturevalue("static")
        return found
    review, server = request.getfixturevalue("review"), request.getfixturevalue("server")
    return View(server.url, review, "port")


def names(page: Any) -> list[str]:
    """Returns the file names of the tiles in their order."""
    found: list[str] = page.locator(".tile").evaluate_all(
        "tiles => tiles.sort((a, b) => a.dataset.place - b.dataset.place)"
        ".map(tile => tile.querySelector('.name').textContent)"
    )
    return found


def answers(page: Any) -> dict[str, str]:
    """Returns the answers on the tiles by file name."""
    found: dict[str, str] = page.locator(".tile").evaluate_all(
        "tiles => Object.fromEntries(tiles.map(tile => [tile.querySelector('.name').textContent,"
        " tile.querySelector('.answer').textContent]))"
    )
    return found


def selected(page: Any) -> str:
    name: str = page.locator(".tile[aria-selected=true] .name").text_content()
    return name


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def wait_for(page: Any, expression: str) -> None:
    """Waits for a JavaScript expression; Playwright's own function is against the page's policy."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(expression)


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it does not happen")


def saved(view: View, page: Any, tmp_path: Path) -> dict[str, Correction]:
    """Returns the corrections that the page has saved, or downloads now."""
    if view.mode == "port":
        wait_until(lambda: "not saved" not in page.locator("#saved").text_content())
        return read_corrections(view.review.corrections)
    with page.expect_download() as started:
        page.click("#save")
    assert started.value.suggested_filename == "corrections.csv"
    path, again = tmp_path / "saved.csv", tmp_path / "again.csv"
    started.value.save_as(path)
    found = read_corrections(path)
    write_corrections(again, found)
    assert sorted(path.read_bytes().splitlines()) == sorted(again.read_bytes().splitlines())
    return found


def test_shows_the_most_doubtful_first_with_faces_and_words(view: View, open_page: Open) -> None:
    page = open_page(view.url).page
    assert names(page) == ORDER
    assert list(answers(page).values()) == [
        *("uncertain 0.70", "no face", "female 0.96", "male 0.99", "unreadable")
    ]
    wait_for(page, "document.querySelectorAll('.tile img').length === 4")
    boxes = page.locator(".tile", has_text="astronaut").locator(".box")
    assert boxes.count() == 2
    assert boxes.first.evaluate("box => box.style.left").startswith("32.03")  # 164 of 512
    assert page.locator("#shown").text_content() == "5 of 5 pictures"
    page.wait_for_selector(".frame.missing")


def test_names_of_pictures_run_no_code(view: View, open_page: Open, tmp_path: Path) -> None:
    page = open_page(view.url).page
    title = page.title()
    press(page, "End", "ArrowLeft", "Enter")
    page.wait_for_selector("#viewer[open]")
    assert page.locator("#viewer-name").text_content() == escape_name(HOSTILE)
    press(page, "m", "Escape")
    assert HOSTILE in saved(view, page, tmp_path)
    assert page.locator("img[src=x], #viewer-name *, option *").count() == 0
    assert page.title() == title != "hacked"


def test_keys_correct_undo_and_survive_a_reload(
    view: View, open_page: Open, tmp_path: Path
) -> None:
    page = open_page(view.url).page
    page.wait_for_selector(".frame.missing")  # all thumbnails are there
    press(page, "f")
    assert selected(page) == ORDER[1]
    press(page, "x", "u")
    assert {ORDER[0]: "✓ female", ORDER[1]: "✓ no face", ORDER[2]: "✓ unknown"}.items() <= (
        answers(page).items()
    )
    press(page, "z")
    assert selected(page) == ORDER[2]
    assert answers(page)[ORDER[2]] == "female 0.96"
    press(page, "Home", "M", "End", "ArrowLeft", "F")
    assert names(page) == ORDER  # nothing jumps while a person works
    found = saved(view, page, tmp_path)
    assert {file: one.gender for file, one in found.items()} == {
        **{"astronaut.jpg": "male", "rocket.jpg": "no_face", HOSTILE: "female"}
    }
    assert found["astronaut.jpg"].box == (164, 67, 120, 120)
    assert all(one.picture.startswith("image:") for one in found.values())
    page.reload()
    page.wait_for_selector(".tile")
    assert answers(page)["astronaut.jpg"] == "✓ male"
    assert page.locator("#saved").text_content().removesuffix(" saved") == "3 corrections"


def test_filters_and_counts_follow_each_other(view: View, open_page: Open) -> None:
    page = open_page(view.url).page

    def shown() -> list[str]:
        page.wait_for_timeout(150)
        return names(page)

    def counts(group: str) -> dict[str, str]:
        found: dict[str, str] = page.locator(f"#{group} label").evaluate_all(
            "all => Object.fromEntries(all.map(one => [one.dataset.value,"
            " one.querySelector('.count').textContent]))"
        )
        return found

    press(page, "/")
    page.keyboard.type("A_LI")
    assert shown() == ["mona_lisa.jpg"]
    assert counts("statuses")["classified"] == "1"
    assert counts("genders") == {"female": "1", "male": "0", "unknown": "0"}
    assert page.locator("#histogram").get_attribute("aria-label").endswith(": 1 at 0.95 to 0.975")
    press(page, "Escape")
    assert page.evaluate("document.activeElement.id") == "grid"
    page.click("button[type=reset]")
    assert shown() == ORDER
    page.uncheck("#statuses [value=classified]")
    assert shown() == ["astronaut.jpg", "rocket.jpg", "broken.jpg"]
    assert counts("statuses")["classified"] == "2"
    assert counts("genders") == {"female": "0", "male": "0", "unknown": "3"}
    page.click("button[type=reset]")
    page.uncheck("#genders [value=unknown]")
    assert len(shown()) == 2
    page.click("button[type=reset]")
    page.fill("#high", "0.96")
    assert shown() == ["astronaut.jpg", "mona_lisa.jpg"]
    page.click("button[type=reset]")
    page.select_option("#folder", "sub")
    assert shown() == [escape_name(HOSTILE)]
    page.fill("#text", "nothing like it")
    assert shown() == []
    assert page.locator("#empty").is_visible()
    page.click("button[type=reset]")
    page.select_option("#order", "name")
    assert shown() == sorted(ORDER)


def write_page(folder: Path, pictures: Mapping[str, str]) -> str:
    """Writes a page of pictures without faces, given by path and hash; returns its address."""
    written = StaticPage(folder / "page.html")
    for file, picture in pictures.items():
        prediction = Prediction(file, "no_face", "unknown", run="0123456789ab")
        written.add(PageItem(prediction, 0, 0, picture), "<image/>")
    written.close(PageSettings("Page"), {})
    return (folder / "page.html").as_uri()


@pytest.mark.parametrize("control", ["#genders [value=male]", "button[type=reset]", "summary"])
def test_keys_work_after_a_click_on_the_filters(
    control: str, static: View, open_page: Open
) -> None:
    page = open_page(static.url).page
    page.locator(control).click()
    page.wait_for_timeout(150)
    press(page, "f")
    assert answers(page)["astronaut.jpg"] == "✓ female"
    press(page, "ArrowRight", "m")
    assert answers(page)["mona_lisa.jpg"] == "✓ male"
    assert page.evaluate("document.activeElement.id") == "grid"


def test_keys_leave_menus_and_fields_alone(static: View, open_page: Open) -> None:
    page = open_page(static.url).page
    for field in ("#order", "#text", "#low"):
        page.focus(field)
        press(page, "f", "ArrowDown", "x")
    assert page.locator("#saved").text_content() == "0 corrections"


def test_enter_and_space_belong_to_the_filters_that_have_the_focus(
    static: View, open_page: Open
) -> None:
    page = open_page(static.url).page
    page.focus("#statuses [value=classified]")
    press(page, "Space", "Enter")
    assert not page.is_checked("#statuses [value=classified]")
    assert not page.locator("#viewer").is_visible()
    page.focus("summary")
    press(page, "Enter")
    assert not page.locator("#filter-form").is_visible()


@pytest.mark.parametrize("typed", ["m\u00fcller", "MU\u0308LLER"])
def test_the_search_finds_names_in_either_unicode_form(
    typed: str, browser: Any, open_page: Open, tmp_path: Path
) -> None:
    """Names that come from macOS have accents as characters of their own."""
    files = ("M\u00fcller.jpg", "Mu\u0308ller.jpg", "Muller.jpg")
    page = open_page(write_page(tmp_path, dict.fromkeys(files, "sha256:0123456789abcdef"))).page
    page.fill("#text", typed)
    wait_for(page, "document.querySelector('#shown').textContent.startsWith('2 of')")


@pytest.mark.parametrize("mode", ["html", "port"])
def test_missing_pictures_are_hidden_until_they_are_asked_for(
    mode: str, make_review: Callable[[], Review], browser: Any, open_page: Open
) -> None:
    review = make_review()
    (review.pictures / "astronaut.jpg").unlink()
    shutil.rmtree(review.pictures / "sub")
    with open_review(review, mode) as url:
        page = open_page(url).page
        assert names(page) == ["rocket.jpg", "mona_lisa.jpg", "broken.jpg"]
        assert page.locator("#shown").text_content() == "3 of 5 pictures, 2 missing hidden"
        page.uncheck("#genders [value=male]")
        page.check("#missing")
        page.wait_for_timeout(150)
        assert names(page) == ["rocket.jpg", "mona_lisa.jpg", "broken.jpg", "astronaut.jpg"]
        assert page.locator("#shown").text_content() == "4 of 5 pictures"


def test_the_large_view_shows_all_and_lets_another_face_decide(
    view: View, open_page: Open, tmp_path: Path
) -> None:
    page = open_page(view.url).page
    page.wait_for_selector(".frame.missing")
    press(page, "Enter")
    page.wait_for_selector("#viewer[open]")
    wait_for(page, "document.querySelector('#viewer-picture img').naturalWidth > 0")
    wait_for(page, "document.querySelector('#viewer-xml').textContent.length > 9")
    expected = (view.review.output / "0.xml").read_text()
    assert page.locator("#viewer-xml").text_content() == expected
    assert page.locator("#viewer-faces li").count() == 2
    page.locator("#viewer-picture .box").nth(1).click()
    assert page.locator("#viewer-faces button").nth(1).get_attribute("aria-pressed") == "true"
    press(page, "m")
    assert page.locator("#viewer-name").text_content() == ORDER[1]
    press(page, "ArrowLeft")
    assert page.locator("#viewer-answer").text_content() == "male (reviewed)"
    press(page, "Escape")
    assert page.evaluate("document.activeElement.id") == "grid"
    found = saved(view, page, tmp_path)
    assert found["astronaut.jpg"].box == (300, 200, 90, 90)
    press(page, "z", "z")
    assert answers(page)["astronaut.jpg"] == "uncertain 0.70"
    assert saved(view, page, tmp_path) == {}


def test_boxes_keep_the_colour_of_the_gender_under_the_pointer(
    static: View, open_page: Open
) -> None:
    page = open_page(static.url).page
    page.locator(".tile", has_text="mona_lisa").dblclick()
    box = page.locator("#viewer-picture .box")
    colour = "box => getComputedStyle(box).borderTopColor"
    before = box.evaluate(colour)
    box.hover()
    assert box.evaluate(colour) == before


def test_help_and_themes(static: View, open_page: Open) -> None:
    page = open_page(static.url).page
    press(page, "?")
    assert page.locator("#help").is_visible()
    press(page, "f")  # not behind the help
    press(page, "Escape")
    assert answers(page)["astronaut.jpg"] == "uncertain 0.70"
    colours = set()
    for theme in ("light", "dark"):
        page.click("#theme")
        assert page.locator("#theme").text_content() == f"Theme: {theme}"
        colours.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2
    page.reload()
    page.wait_for_selector(".tile")
    assert page.locator("#theme").text_content() == "Theme: dark"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_barrier(theme: str, static: View, open_page: Open) -> None:
    pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    axe = (files("axe_playwright_python") / "axe.min.js").read_text()
    page = open_page(static.url).page
    page.click("#theme")
    if theme == "dark":
        page.click("#theme")
    page.evaluate(axe)  # the page's policy allows no script tag

    def violations() -> list[str]:
        found: list[str] = page.evaluate(
            "axe.run({preload: false}).then(found => found.violations.map(one =>"
            " `${one.id}: ${one.nodes.map(node => node.html).join(' ')}`))"
        )
        return found

    assert violations() == []
    press(page, "Home", "Enter")
    wait_for(page, "document.querySelector('#viewer-xml').textContent.length > 9")
    assert violations() == []
    press(page, "Escape", "?")
    assert violations() == []
    press(page, "Escape")
    page.click("#show-summary")
    assert violations() == []


def test_the_help_shows_the_keys_in_a_small_window(static: View, open_page: Open) -> None:
    """Such as one that is magnified to 200%, which still has a keyboard."""
    page = open_page(static.url, width=640, height=400).page
    press(page, "?")
    assert page.locator("#help").evaluate("help => help.scrollTop") == 0
    shown = page.locator("#help kbd:visible").all_text_contents()
    assert {*"←→↑↓FMUXZ/?", "Enter", "Esc"} <= set(shown)


def test_the_selected_picture_is_in_sight_in_a_small_window(static: View, open_page: Open) -> None:
    """Such as that of a laptop with 1366 x 768 pixels that is magnified to 200%."""
    page = open_page(static.url, width=683, height=334).page
    assert not page.locator("#filter-form").is_visible()
    for keys in (["ArrowRight"], ["End"], ["Home"], ["End", "f"]):
        press(page, *keys)
        box = page.locator(".tile[aria-selected=true]").bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 334
    for key in ("ArrowLeft", "z"):
        page.evaluate("window.scrollTo(0, 0)")
        page.locator("#filters").evaluate("filters => { filters.open = true; }")
        press(page, key)
        box = page.locator(".tile[aria-selected=true]").bounding_box()
        assert 0 <= box["y"] <= 334 - box["height"]


def test_fits_a_phone(static: View, open_page: Open) -> None:
    page = open_page(static.url, width=360, height=740).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not page.locator("#filter-form").is_visible()
    page.click("summary")
    assert page.locator("#filter-form").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.click("#open")
    page.wait_for_selector("#viewer[open]")
    page.locator("#viewer-actions button").nth(1).click()
    page.click("#close")
    assert answers(page)["astronaut.jpg"] == "✓ male"


def test_works_away_from_the_pictures(static: View, open_page: Open, tmp_path: Path) -> None:
    """On a USB stick, for example: the thumbnails stand for the pictures."""
    source = Path(static.review.pictures.parent)
    shutil.copy(source / "review.html", tmp_path)
    shutil.copytree(source / "review_files", tmp_path / "review_files")
    opened = open_page((tmp_path / "review.html").as_uri())
    page = opened.page
    press(page, "Enter")
    picture = "document.querySelector('#viewer-picture img')"
    wait_for(page, f"{picture}.naturalWidth > 0 && {picture}.src.includes('thumbnails')")
    assert page.evaluate(f"{picture}.src").startswith(tmp_path.as_uri())
    opened.problems[:] = [one for one in opened.problems if "ERR_FILE_NOT_FOUND" not in one]


def test_corrections_of_a_changed_picture_are_dropped(
    review: Review, server: Any, browser: Any, open_page: Open
) -> None:
    old = Correction("male", (104, 88, 103, 103), "sha256:0000000000000000")
    write_corrections(review.corrections, {"mona_lisa.jpg": old, "rocket.jpg": Correction("male")})
    page = open_page(server.url).page
    wait_for(
        page,
        "[...document.querySelectorAll('.answer')].some(one => one.textContent === 'female 0.96')",
    )
    assert answers(page)["rocket.jpg"] == "✓ male"


def test_a_correction_of_version_0_2_0_is_shown_and_saved_anew(
    static: View, review: Review, server: Any, open_page: Open, tmp_path: Path
) -> None:
    """It has the hash of the file, in corrections.csv and in the storage of the browser."""
    data = (review.pictures / "mona_lisa.jpg").read_bytes()
    old = Correction("male", (104, 88, 103, 103), file_hash(data))
    write_corrections(review.corrections, {"mona_lisa.jpg": old})
    served = open_page(server.url).page
    served.wait_for_selector(".frame.missing")
    assert answers(served)["mona_lisa.jpg"] == "✓ male"
    press(served, "End", "Home", "f")
    wait_until(lambda: len(read_corrections(review.corrections)) == 2)
    assert answers(served)["mona_lisa.jpg"] == "✓ male"
    page = open_page(static.url).page
    press(page, "m")
    key = "Object.keys(localStorage).find((key) => key.endsWith('.html'))"
    page.evaluate(
        f"(() => {{ const kept = JSON.parse(localStorage.getItem({key}));"
        f"kept.entries = [['mona_lisa.jpg', {{gender: 'male', box: null, hash: '{old.picture}'}}]];"
        f"localStorage.setItem({key}, JSON.stringify(kept)); }})()"
    )
    page.reload()
    page.wait_for_selector(".tile")
    assert answers(page)["mona_lisa.jpg"] == "✓ male"
    found = saved(static._replace(review=review), page, tmp_path)
    assert found["mona_lisa.jpg"].picture == content_hash(data)


def test_two_tabs_keep_the_corrections_of_both(view: View, open_page: Open, tmp_path: Path) -> None:
    first = open_page(view.url).page
    second = first.context.new_page()
    second.goto(view.url)
    for page in (first, second):
        page.wait_for_selector(".frame.missing")
    press(first, "f")
    press(second, "ArrowRight", "x")
    press(first, "ArrowRight", "u")
    if view.mode == "html":  # a tab shows what the other one has corrected
        wait_for(first, "document.querySelector('#saved').textContent.startsWith('3 ')")
    wait_until(lambda: len(saved(view, first, tmp_path)) == 3)
    found = saved(view, first, tmp_path)
    assert {file: one.gender for file, one in found.items()} == {
        **{"astronaut.jpg": "female", "rocket.jpg": "no_face", "mona_lisa.jpg": "unknown"}
    }
    for page in (first, second):
        page.reload()
        page.wait_for_selector(".tile")
        assert page.locator("#saved").text_content().startswith("3 corrections")


def test_a_correction_that_another_tab_overwrites_is_kept(static: View, open_page: Open) -> None:
    """Two tabs that write in the same moment: what the second one writes lacks the first's."""
    first = open_page(static.url).page
    second = first.context.new_page()
    second.goto(static.url)
    second.wait_for_selector(".frame.missing")
    first.wait_for_selector(".frame.missing")
    press(first, "f")
    wait_for(second, "document.querySelector('#saved').textContent.startsWith('1 ')")
    kept = "Object.keys(localStorage).find((key) => key.endsWith('.html'))"
    entries = f"JSON.parse(localStorage.getItem({kept})).entries"
    second.evaluate(
        f"(() => {{ const key = {kept}; const all = JSON.parse(localStorage.getItem(key));"
        "localStorage.setItem(key, JSON.stringify({...all, unsaved: 0, entries: []})); })()"
    )
    wait_for(second, f"{entries}.length === 1")
    assert second.evaluate(f"{entries}[0][0]") == "astronaut.jpg"
    wait_for(second, "document.querySelector('#saved').textContent.startsWith('1 ')")


def test_keys_go_on_after_a_picture_that_cannot_be_corrected(
    browser: Any, open_page: Open, tmp_path: Path
) -> None:
    pictures = {"a.jpg": "", "b.jpg": "sha256:1", "c.jpg": "sha256:2"}
    page = open_page(write_page(tmp_path, pictures)).page
    press(page, "f", "m")
    assert answers(page) == {"a.jpg": "no face", "b.jpg": "✓ male", "c.jpg": "no face"}
    assert selected(page) == "c.jpg"
    assert "a.jpg: cannot be corrected" in page.locator("#problem").text_content()
    assert page.locator("#problem").is_visible()


def test_a_picture_that_cannot_be_read_does_not_delay_the_other_corrections(
    review: Review, server: Any, browser: Any, open_page: Open
) -> None:
    (review.pictures / "astronaut.jpg").write_bytes(b"")
    page = open_page(server.url).page
    press(page, "f")
    page.wait_for_selector("#problem:not([hidden])")
    press(page, "x")
    wait_until(lambda: page.locator("#saved").text_content() == "1 correction saved")
    assert "astronaut.jpg cannot be corrected" in page.locator("#problem").text_content()
    assert page.locator("#problem").is_visible()
    assert read_corrections(review.corrections).keys() == {"rocket.jpg"}
    assert answers(page)["astronaut.jpg"] == "uncertain 0.70"


def test_undo_passes_over_a_picture_that_cannot_be_corrected(
    review: Review, server: Any, browser: Any, open_page: Open
) -> None:
    write_corrections(review.corrections, {"rocket.jpg": Correction("male")})
    (review.pictures / "rocket.jpg").write_bytes(b"")
    page = open_page(server.url).page
    press(page, "Home", "m")  # the astronaut
    page.locator(".tile", has_text="rocket").click()
    press(page, "f", "u")
    page.wait_for_selector("#problem:not([hidden])")
    assert answers(page)["rocket.jpg"] == "✓ male"  # as the file says
    press(page, "z", "z")
    shown = answers(page)
    assert (shown["astronaut.jpg"], shown["rocket.jpg"]) == ("uncertain 0.70", "✓ male")
    wait_until(lambda: "not saved" not in page.locator("#saved").text_content())
    assert read_corrections(review.corrections) == {"rocket.jpg": Correction("male")}


def test_a_page_of_an_earlier_server_offers_its_corrections_as_a_file(
    review: Review, server: Any, browser: Any, open_page: Open, tmp_path: Path
) -> None:
    opened = open_page(server.url)
    page = opened.page
    page.wait_for_selector(".frame.missing")
    press(page, "f")
    wait_until(review.corrections.exists)
    assert not page.locator("#save").is_visible()
    server.token = "another"
    press(page, "x", "u")
    page.wait_for_selector("#save:visible")
    assert "open the address that it prints now" in page.locator("#problem").text_content()
    assert page.locator("#saved").text_content() == "3 corrections, 2 changes not saved"
    with page.expect_download() as started:
        page.click("#save")
    assert started.value.suggested_filename == "unsaved-corrections.csv"
    started.value.save_as(tmp_path / "unsaved.csv")
    found = read_corrections(tmp_path / "unsaved.csv")
    assert {file: one.gender for file, one in found.items()} == {
        **{"rocket.jpg": "no_face", "mona_lisa.jpg": "unknown"}
    }
    assert all(one.picture.startswith("image:") for one in found.values())
    assert "in unsaved-corrections.csv" in page.locator("#problem").text_content()
    press(page, "u")  # which the file does not have
    wait_for(page, "document.querySelector('#problem').textContent.startsWith('Not saved')")
    opened.problems[:] = [one for one in opened.problems if "403" not in one]


def test_a_lost_server_is_reported_and_tried_again(
    review: Review, server: Any, browser: Any, open_page: Open
) -> None:
    opened = open_page(server.url)
    page = opened.page
    page.wait_for_selector(".frame.missing")
    page.route("**/correction", lambda route: route.abort())
    press(page, "f")
    page.wait_for_selector("#problem:not([hidden])")
    assert "not saved" in page.locator("#saved").text_content()
    assert page.locator("#save").is_visible()
    page.unroute("**/correction")
    wait_until(review.corrections.exists)
    page.wait_for_selector("#problem", state="hidden")
    assert not page.locator("#save").is_visible()
    opened.problems[:] = [one for one in opened.problems if "ERR_FAILED" not in one]


@pytest.fixture(scope="module")
def report(make_review: Callable[[], Review]) -> str:
    """The URL of a report, written by the command."""
    review = make_review()
    html = review.pictures.parent / "report.html"
    corrections = review.pictures.parent / "corrections.csv"
    write_corrections(corrections, {"astronaut.jpg": Correction("male")})
    options = ["-i", review.pictures, "-o", review.output, "--recursive", "--report", html]
    options += ["--corrections", corrections, "--quiet"]
    assert classify(list(map(str, options))) == 1  # one is unreadable
    return html.as_uri()


def test_a_report_offers_no_corrections(report: str, open_page: Open) -> None:
    page = open_page(report).page
    press(page, "Home", "f")
    assert answers(page) == {
        **{"astronaut.jpg": "✓ male", "broken.jpg": "unreadable", "mona_lisa.jpg": "female 0.96"},
        **{"rocket.jpg": "no face", escape_name(HOSTILE): "male 0.98"},
    }
    wait_for(page, "document.querySelectorAll('.tile img').length === 4")
    press(page, "Enter")
    page.wait_for_selector("#viewer[open]")
    assert page.locator(".edit:visible").count() == 0


def test_a_report_sums_up(report: str, open_page: Open) -> None:
    page = open_page(report).page
    page.click("#show-summary")
    rows = page.locator("#summary-counts tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.firstChild.textContent))"
    )
    assert rows == [
        ["folder", "pictures", "female", "male", "uncertain", "no face", "unreadable", "reviewed"],
        ["All pictures", "5", "1", "2", "0", "1", "1", "1"],
        ["(top folder)", "4", "1", "1", "0", "1", "1", "1"],
        ["sub", "1", "0", "1", "0", "0", "0", "0"],
    ]
    assert page.locator("#summary-unreadable li").text_content().startswith("broken.jpg: ")
    facts = page.locator("#summary-run dd").all_text_contents()
    assert "0.831 (from the model's manifest)" in facts
    assert any(fact.endswith("corrections.csv") for fact in facts)
    press(page, "Escape", "/")
    page.keyboard.type("hacked")
    wait_for(page, "document.querySelectorAll('.tile').length === 1")
    press(page, "Escape", "Enter")
    page.locator("#viewer-link a").click()  # a name with all kinds of characters
    wait_for(page, "document.images[0]?.naturalWidth === 512")


def test_only_changes_that_no_file_has_are_not_saved(
    static: View, open_page: Open, tmp_path: Path
) -> None:
    page = open_page(static.url).page
    shown = page.locator("#saved").text_content
    press(page, "Home", "f", "m", "z", "z")  # two corrections, taken back
    assert shown() == "0 corrections"
    press(page, "Home", "f", "Home", "m", "Home", "f")  # one picture, three times
    assert shown() == "1 correction, 1 change not saved"
    assert len(saved(static, page, tmp_path)) == 1
    assert shown() == "1 correction"
    press(page, "Home", "m")
    page.reload()
    page.wait_for_selector(".tile")
    assert shown() == "1 correction, 1 change not saved"
    page.locator(".tile", has_text="astronaut").click()
    press(page, "f")  # as in the file again
    assert shown() == "1 correction"
    press(page, "x", "z")
    assert shown() == "1 correction"


def test_corrections_of_the_file_that_the_page_was_made_from_are_saved(
    review: Review, browser: Any, open_page: Open
) -> None:
    write_corrections(review.corrections, {"rocket.jpg": Correction("no_face")})
    with open_review(review, "html") as url:
        page = open_page(url).page
    for key in ("m", "x"):
        page.locator(".tile", has_text="rocket").click()
        press(page, key)
    assert page.locator("#saved").text_content() == "1 correction"


def test_corrections_of_pictures_with_other_names_or_contents_are_saved(
    review: Review, browser: Any, open_page: Open, tmp_path: Path
) -> None:
    """The classifier finds the pictures by their hashes, whatever their names are now."""
    hashes = {path.name: content_hash(path.read_bytes()) for path in review.pictures.glob("*.jpg")}
    earlier = {
        "mona_lisa.jpg": Correction("male", picture=hashes["rocket.jpg"]),  # swapped
        "rocket.jpg": Correction("female", picture=hashes["mona_lisa.jpg"]),
        "gone.jpg": Correction("no_face", picture=hashes["broken.jpg"]),
    }
    write_corrections(review.corrections, earlier)
    with open_review(review, "html") as url:
        page = open_page(url).page
    assert page.locator("#saved").text_content() == "0 corrections"
    press(page, "Home", "x")  # the astronaut
    page.locator(".tile", has_text="rocket").click()
    press(page, "f", "z")
    page.locator(".tile", has_text="mona_lisa").click()
    press(page, "u")
    (review.pictures / "astronaut.jpg").rename(review.pictures / "other.jpg")
    (review.output / "0.xml").unlink()
    shutil.copy(review.pictures / HOSTILE, review.pictures / "mona_lisa.jpg")
    with open_review(review, "html"):
        page.reload()
    page.wait_for_selector(".tile")
    assert page.locator("#saved").text_content() == "0 corrections, 2 changes not saved"
    assert saved(View(url, review, "html"), page, tmp_path) == {
        **earlier,
        "astronaut.jpg": Correction("no_face", picture=hashes["astronaut.jpg"]),
        "mona_lisa.jpg": Correction("unknown", (104, 88, 103, 103), hashes["mona_lisa.jpg"]),
    }
    page.locator(".tile", has_text="rocket").click()
    press(page, "m")
    found = saved(View(url, review, "html"), page, tmp_path)
    assert found["rocket.jpg"] == Correction("male", picture=hashes["rocket.jpg"])


def test_corrections_of_any_name_are_kept_and_saved(
    browser: Any, open_page: Open, tmp_path: Path
) -> None:
    files = ["__proto__", "constructor", "=1+1.jpg", 'a\nb,"c".jpg', "50%41.jpg", "\udcff.jpg"]
    pictures = {file: f"sha256:{number:016}" for number, file in enumerate(files)}
    page = open_page(write_page(tmp_path, pictures)).page
    press(page, *"f" * len(files))
    page.reload()
    page.wait_for_selector(".tile")
    assert page.locator("#saved").text_content() == "6 corrections, 6 changes not saved"
    with page.expect_download() as started:
        page.click("#save")
    started.value.save_as(tmp_path / "saved.csv")
    found = read_corrections(tmp_path / "saved.csv")
    assert {file: one.gender for file, one in found.items()} == dict.fromkeys(files, "female")


@pytest.mark.parametrize("typed", ["my%20photo", "my%2520photo"])
def test_names_with_escapes_are_shown_and_found_as_they_are(
    typed: str, browser: Any, open_page: Open, tmp_path: Path
) -> None:
    """Downloaded pictures often have such names."""
    files = ("a%20b/My%20Photo.jpg", "a%20b/My Photo.jpg")
    page = open_page(write_page(tmp_path, dict.fromkeys(files, "sha256:0123456789abcdef"))).page
    shown = page.locator(".tile .name").all_text_contents()
    assert sorted(shown) == ["a%20b/My Photo.jpg", "a%20b/My%20Photo.jpg"]
    assert "a%20b" in page.locator("#folder option").all_text_contents()
    page.select_option("#folder", label="a%20b")
    page.fill("#text", typed)
    wait_for(page, "document.querySelector('#shown').textContent.startsWith('1 of')")


@pytest.fixture
def many(request: pytest.FixtureRequest, samples: Path, tmp_path: Path) -> Iterator[str]:
    """A page with so many pictures, all with the same thumbnail."""
    page = StaticPage(tmp_path / "many.html")
    thumbnail = (samples / "cat.jpg").read_bytes()
    for number in range(request.param):
        confidence = 0.5 + (number * 37 % 500) / 1000
        face = Face(Box(100, 50, 80, 80), "cnn", "female", confidence, 0.9)
        prediction = Prediction(
            *(f"{number // 1000}/{number:05}.jpg", "classified", "female", confidence, (face,)),
            run="0123456789ab",
        )
        item = PageItem(prediction, 451, 300, "sha256:0123456789abcdef")
        page.add(item, f"<image {number}/>", thumbnail)
    page.close(PageSettings("Many"), {})
    yield (tmp_path / "many.html").as_uri()


@pytest.mark.parametrize("many", [10_000, 50_000], indirect=True)
def test_many_pictures_need_few_elements(many: str, browser: Any, open_page: Open) -> None:
    page = open_page(many).page
    total = page.evaluate("items.length")
    assert page.locator("#shown").text_content() == f"{total:,} of {total:,} pictures"
    press(page, "End")
    assert page.locator(".tile[aria-selected=true]").get_attribute("aria-posinset") == str(total)
    assert page.locator(".tile").count() < 200
    press(page, "f")
    assert page.locator("#saved").text_content() == "1 correction, 1 change not saved"
    press(page, "/")
    page.keyboard.type(f"{total - 1}")
    wait_for(page, "document.querySelector('#shown').textContent.startsWith('1 of')")
    press(page, "Escape", "Enter")
    wait_for(page, "document.querySelector('#viewer-xml').textContent.length > 9")
    assert page.locator("#viewer-xml").text_content() == f"<image {total - 1}/>"
