"""Text out of files, and the sentences for those that hold none."""

from __future__ import annotations

import io
import time

import pytest
from pypdf import PdfWriter

from core.local_router.knowledge import extraction
from core.local_router.knowledge.extraction import extract
from core.local_router.knowledge.html_text import html_text


def pdf(*lines: str) -> bytes:
    """A page of text as a PDF, written by hand."""
    content = "BT /F1 12 Tf 72 720 Td " + " ".join(f"({line}) Tj 0 -20 Td" for line in lines) + " ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF".encode()
    return out


def written(password: str | None = None) -> bytes:
    """A PDF with one page and nothing on it."""
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        "Grüße, 日本".encode(),
        b"\xef\xbb\xbf" + "Grüße, 日本".encode(),
        "\ufeffGrüße, 日本".encode("utf-16-le"),
        "\ufeffGrüße, 日本".encode("utf-16-be"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "B.MD"])
def test_unicode_is_read_with_and_without_a_mark(name: str, content: bytes) -> None:
    assert extract(name, content) == "Grüße, 日本"


def test_older_western_encodings_are_read() -> None:
    assert extract("a.txt", "Grüße für 5 € – “so”".encode("cp1252")) == "Grüße für 5 € – “so”"
    assert extract("a.txt", b"caf\xe9 \x81") == "café \x81"


BROKEN_PAGES = {
    "deep": "<div>" * 100_000,
    "deep and closed": "<div>" * 50_000 + "</div>" * 50_000,
    "blocks that are not closed": "<p>x" * 100_000,
    "tags that do not end": "<a " * 200_000,
    "values that do not end": "<a b='" * 100_000,
    "comments that do not end": "<!--" * 100_000,
    "declarations that do not end": "<![CDATA[" * 50_000,
    "scripts that do not end": "<script>" * 80_000,
    "ends of nothing": "</div>" * 100_000,
    "less than": "<" * 500_000,
    "ampersands": "&#" * 300_000,
}


@pytest.mark.parametrize("page", BROKEN_PAGES.values(), ids=list(BROKEN_PAGES))
def test_page_takes_time_as_it_is_long_however_broken_it_is(page: str) -> None:
    began = time.process_time()
    assert html_text(f"The otter hunts. {page}").startswith("The otter hunts.")
    assert time.process_time() - began < 10  # a tree of it took minutes, during which nobody else was answered


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p title='a > b'>One</p>", "One"),
        ("<p data-x=it's>One</p>", "One"),
        ("a < b &amp; c &lt; d", "a < b & c < d"),
        ("<textarea><b>typed</b></textarea>", "<b>typed</b>"),
        ("<SCRIPT>if (a<b) '</p>'</SCRIPT >seen", "seen"),
        ("<template><p>one</template>two<noscript>three</noscript>", "two"),
        ("<svg><title>Icon</title><text>drawn</text></svg>seen", "Icon\n\nseen"),
        ("one<!-- <p>two</p> -->three<!doctype html><?x y?>", "onethree"),
        ("<![CDATA[a <b]]>", "a <b"),
        ("</div>one</p>", "one"),
        ("<br/>one<br>two", "one\ntwo"),
        ("<ruby>漢<rt>kan</rt></ruby>字", "漢字"),
        ("<tr><td>1<td>2</tr>", "1\t2"),
        ("one <a href='x", "one"),
    ],
)
def test_html_is_read_as_browsers_show_it(page: str, text: str) -> None:
    assert html_text(page).strip() == text


def test_html_gives_its_text_without_scripts_in_separate_blocks() -> None:
    page = (
        "<html><head><title>Guide</title><style>p{}</style></head><body><script>var x</script>"
        "<h1>Start</h1><p>One <b>bold</b> word.<br>Next</p><ul><li>a</li><li>b</li></ul><p>&lt;tag&gt; &amp; more</p></body></html>"
    )
    parts = [line.strip() for line in extract("a.html", page.encode()).split("\n") if line.strip()]
    assert parts == ["Guide", "Start", "One bold word.", "Next", "a", "b", "<tag> & more"]


def test_pdf_gives_its_text() -> None:
    text = extract("a.PDF", pdf("Rotate the keys", "every month"))
    assert "Rotate the keys" in text
    assert "every month" in text


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.docx", b"x", "a.docx is of a kind that cannot be read; add .htm, .html, .md, .pdf, .txt files."),
        ("noname", b"x", "noname is of a kind that cannot be read; add .htm, .html, .md, .pdf, .txt files."),
        ("a.txt", b"", "a.txt is empty; choose a file with text in it."),
        ("a.md", b" \n\t ", "a.md holds no text; choose a file with text in it."),
        ("a.html", b"<html><script>x</script></html>", "a.html holds no text; choose a file with text in it."),
        ("a.txt", bytes(range(256)) * 20, "a.txt is not text, whatever its name says; save it as UTF-8 text and add that."),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", "a.txt is not text, whatever its name says; save it as UTF-8 text and add that."),
        ("a.pdf", written(), "a.pdf has pages but no text, as scans do; run text recognition (OCR) over it and add the result."),
        ("a.pdf", written("secret"), "a.pdf is protected by a password; save a copy without one and add that."),
        ("a.pdf", b"hello", "a.pdf cannot be read as PDF"),
        ("a.pdf", pdf("x")[:200], "a.pdf "),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_refused_with_a_next_step(name: str, content: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"; .+\.$") as caught:
        extract(name, content)
    assert str(caught.value).startswith(sentence)


def test_a_pdf_that_opens_without_a_password_is_read() -> None:
    with pytest.raises(ValueError, match="no text"):
        extract("a.pdf", written(""))


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "LARGEST_BYTES", 100)
    monkeypatch.setattr(extraction, "MOST_CHARACTERS", 50)
    with pytest.raises(ValueError, match="101 bytes, more than 100; split it"):
        extract("a.txt", b"x" * 101)
    with pytest.raises(ValueError, match="60 characters of text, more than 50; split it"):
        extract("a.txt", b"x" * 60)
