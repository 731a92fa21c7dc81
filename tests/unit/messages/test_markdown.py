import pytest

from messages.markdown import UnsafeLink, to_html, to_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("One\ntwo.\n\nThree.", "One two.\n\nThree."),
        ("A **bold** and *soft* word", "A bold and soft word"),
        ("line  \nbreak", "line\nbreak"),
        ("- one\n- two", "- one\n- two"),
        ("- one\n\n- two", "- one\n- two"),
        ("3. one\n4. two", "3. one\n4. two"),
        ("- one\n  - inner\n  - more\n- two", "- one\n  - inner\n  - more\n- two"),
        ("- one\n\n  more of one\n- two", "- one\n  more of one\n- two"),
        ("Try:\n- one\n\nThen rest.", "Try:\n\n- one\n\nThen rest."),
        ("## Title\n\ntext", "Title\n-----\n\ntext"),
        ("> said\n> so", "> said so"),
        ("one\n\n---\n\ntwo", "one\n\n--------------------\n\ntwo"),
        ("[the page](https://a.example/b?c=1&d=2)", "the page (https://a.example/b?c=1&d=2)"),
        ("[https://a.example](https://a.example)", "https://a.example"),
        ("[call](tel:+15035550142)", "call (+15035550142)"),
        ("[a@b.example](mailto:a@b.example)", "a@b.example"),
        ("5 \\* 3 &amp; <b>so</b>", "5 * 3 & <b>so</b>"),
        ('She said "it\'s fine" -- twice', "She said “it\u2019s fine” \u2013 twice"),
    ],
)
def test_plain_text_says_all_that_the_source_says(source: str, text: str) -> None:
    assert to_text(source) == text


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("**a** *b*", "<p><strong>a</strong> <em>b</em></p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>"),
        ("a <b onclick='x'>b</b>", "<p>a &lt;b onclick=\u2018x\u2019&gt;b&lt;/b&gt;</p>"),
        ("    indented", "<p>indented</p>"),
        ("`code`", "<p>`code`</p>"),
        ("[a](https://a.example)", '<p><a href="https://a.example">a</a></p>'),
    ],
)
def test_html_holds_the_simple_subset_only(source: str, html: str) -> None:
    assert to_html(source).strip() == html


def test_an_image_is_not_loaded_from_anywhere() -> None:
    assert "<img" not in to_html("![x](https://a.example/x.png)")


@pytest.mark.parametrize(
    "target",
    ["http://a.example", "/join", "ftp://a.example", "tel:abc", "zqvgivennamezqv"],
)
def test_a_link_to_anywhere_unsafe_is_refused(target: str) -> None:
    with pytest.raises(UnsafeLink):
        to_html(f"- a list with [a link]({target})")


def test_a_script_is_no_link() -> None:
    assert "<a" not in to_html("[x](javascript:alert(1))")


@pytest.mark.parametrize(
    "target",
    ["https://a.example/b", "mailto:a@b.example", "tel:911", "zqvunsubscribeurlzqv", "zqvlinkzqv"],
)
def test_safe_links_pass(target: str) -> None:
    assert f'href="{target}"' in to_html(f"[a]({target})")
