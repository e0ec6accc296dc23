"""The server: what it answers, and whom it refuses."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

import cv2
import numpy as np
import pytest
from reviews import Review, run_server

from image_gender_classifier.manifest.cache_key import file_hash
from image_gender_classifier.outputs.corrections import Correction, read_corrections
from image_gender_classifier.outputs.picture_content import content_hash
from image_gender_classifier.review.corrections import CorrectionFile
from image_gender_classifier.review.items import read_items
from image_gender_classifier.review.serving import ReviewServer
from image_gender_classifier.review.site import Site

PICTURE = "image:0123456789abcdef012345"
ASTRONAUT, BROKEN = 0, 1  # places in the list, which is sorted by file name


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(
    server: ReviewServer, path: str, method: str = "GET", body: str | None = None, **headers: str
) -> Answer:
    """Sends a request with raw path; `_` in the names of headers stands for `-`."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, given)
    response = connection.getresponse()
    answer = Answer(response.status, dict(response.headers), response.read())
    connection.close()
    return answer


def post(server: ReviewServer, change: object, **headers: str) -> Answer:
    """Posts a change as the page does, except for the headers given; "" omits one."""
    usual = {"Content_Type": "application/json", "Origin": server.url.rpartition("/")[0]}
    usual["Origin"] = f"http://127.0.0.1:{server.server_port}"
    sent = {name: value for name, value in (usual | headers).items() if value}
    return ask(server, f"/{server.token}/correction", "POST", json.dumps(change), **sent)


def make_change(**other: Any) -> dict[str, Any]:
    return {"index": ASTRONAUT, "gender": "male", "face": 1, "picture": PICTURE} | other


def test_listens_on_the_loopback_address_only(server: ReviewServer) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_an_address_of_an_earlier_server_leads_to_the_new_one(server: ReviewServer) -> None:
    """A browser that opens its tabs again asks for it."""
    answer = ask(server, "/an-earlier-token/")
    assert answer.status == 403
    assert b"open the address that image-gender-review printed" in answer.body
    assert server.token.encode() not in answer.body


def test_serves_the_page_and_forbids_it_to_others(server: ReviewServer) -> None:
    page = ask(server, f"/{server.token}/")
    assert page.status == 200
    assert b"<!DOCTYPE html>" in page.body
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in page.headers


@pytest.mark.parametrize("path", ["/", "/data.js", "/x/", "/{}", "/{}x/", "/%7B{}/", "/x/{}/"])
def test_a_wrong_token_is_refused(path: str, server: ReviewServer) -> None:
    assert ask(server, path.format(server.token)).status == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{}", "127.0.0.1", "", "[::1]:{}"])
def test_another_host_name_is_refused(host: str, server: ReviewServer) -> None:
    """DNS rebinding: another site's name resolves to this computer."""
    path = f"/{server.token}/"
    assert ask(server, path, Host=host.format(server.server_port)).status == 403
    assert ask(server, path, Host=f"localhost:{server.server_port}").status == 200


@pytest.mark.parametrize(
    "path",
    [
        "../../../etc/passwd", "..%2f..%2fetc/passwd", "thumbnails/../../etc/passwd",
        "thumbnails/-1", "thumbnails/99", "thumbnails/1e0", "thumbnails/%D9%A3", "pictures/",
        "pictures/astronaut.jpg", "xml/0.xml", "xml/1.js", "xml/-1.js", "corrections.csv",
        "/etc/passwd", "site.py", "review.html", "thumbnails/" + "9" * 5000,
    ],
)  # fmt: skip
def test_nothing_else_can_be_read(path: str, server: ReviewServer) -> None:
    answer = ask(server, f"/{server.token}/{path}")
    assert answer.status == 404
    assert answer.body == b"not found"


def test_a_thumbnail_comes_with_size_and_hash(server: ReviewServer, review: Review) -> None:
    answer = ask(server, f"/{server.token}/thumbnails/{ASTRONAUT}")
    assert answer.headers["X-Size"] == "512x512"
    data = (review.pictures / "astronaut.jpg").read_bytes()
    assert answer.headers["X-Picture"] == content_hash(data)
    assert answer.headers["X-File"] == file_hash(data)
    pixels = cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.shape == (256, 256, 3)
    large = ask(server, f"/{server.token}/pictures/{ASTRONAUT}")
    assert large.headers["X-Size"] == "512x512"
    (review.pictures / "astronaut.jpg").unlink()
    (review.pictures / "astronaut.jpg").symlink_to(review.output / "0.xml")
    answer = ask(server, f"/{server.token}/thumbnails/{ASTRONAUT}")
    assert b"link to a file elsewhere" in answer.body
    assert "X-Picture" not in answer.headers


def test_an_unreadable_picture_has_a_reason_instead(server: ReviewServer) -> None:
    answer = ask(server, f"/{server.token}/thumbnails/{BROKEN}")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert b"; " in answer.body  # reason and remedy
    assert "X-Size" not in answer.headers


@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_costs_only_its_request(
    debug: bool, review: Review, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> NoReturn:
        raise ZeroDivisionError("a \n bug")

    said: list[str] = []
    items = read_items(review.output)
    site = Site(review.pictures, items, CorrectionFile(review.corrections), fail)
    with run_server(ReviewServer(0, site, said.append, debug)) as server:
        with pytest.raises(http.client.RemoteDisconnected):
            ask(server, f"/{server.token}/thumbnails/{ASTRONAUT}")
        assert ask(server, f"/{server.token}/").status == 200
    hint = "" if debug else "; --debug shows the traceback"
    assert said == [f"internal error (ZeroDivisionError: a bug){hint}"]
    assert ("Traceback" in capsys.readouterr().err) == debug


def test_a_change_is_saved_at_once_and_taken_back(server: ReviewServer, review: Review) -> None:
    assert post(server, make_change()).status == 200
    expected = Correction("male", (300, 200, 90, 90), PICTURE)
    assert read_corrections(review.corrections) == {"astronaut.jpg": expected}
    data = ask(server, f"/{server.token}/data.js").body
    assert b'"corrections":[[0,"male",1]]' in data
    assert post(server, make_change(gender=None)).status == 200
    assert read_corrections(review.corrections) == {}


def test_other_rows_of_the_file_are_kept(server: ReviewServer, review: Review) -> None:
    review.corrections.write_text("file,gender\nelsewhere.jpg,female\n")
    assert post(server, make_change()).status == 200
    found = read_corrections(review.corrections)
    assert found.keys() == {"astronaut.jpg", "elsewhere.jpg"}
    assert found["elsewhere.jpg"] == Correction("female")


def test_a_file_that_is_no_table_any_more_is_not_overwritten(
    server: ReviewServer, review: Review
) -> None:
    review.corrections.write_text("my own notes\n")
    answer = post(server, make_change())
    assert answer.status == 500
    assert b"no column 'file'" in answer.body
    assert review.corrections.read_text() == "my own notes\n"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""},
        {"Content_Type": "text/plain"}, {"Content_Type": "application/x-www-form-urlencoded"},
        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
        {"Host": "evil.example"},
    ],
    ids=str,
)  # fmt: skip
def test_posts_of_other_sites_are_refused(
    headers: dict[str, str], server: ReviewServer, review: Review
) -> None:
    assert post(server, make_change(), **headers).status == 403
    assert not review.corrections.exists()


@pytest.mark.parametrize(
    "change",
    [
        None, [], {}, "x", make_change(index=99), make_change(index=-1), make_change(index="0"),
        make_change(gender="=1+1"), make_change(gender=["male"]), make_change(face="1"),
        make_change(picture="=cmd()"), make_change(picture=""), make_change(picture=None),
        make_change(picture=f"{PICTURE}6"),
    ],
    ids=str,
)  # fmt: skip
def test_a_change_that_makes_no_sense_is_refused(
    change: object, server: ReviewServer, review: Review
) -> None:
    assert post(server, change).status == 400
    assert not review.corrections.exists()


def test_a_long_body_is_refused(server: ReviewServer) -> None:
    assert post(server, make_change(picture="x" * 10_000)).status == 403


def test_a_length_of_thousands_of_digits_is_refused(server: ReviewServer) -> None:
    assert post(server, make_change(), Content_Length="9" * 5000).status == 403
