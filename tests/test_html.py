from types import SimpleNamespace

import pytest

from tests import html


def test_elements_are_found_by_path_and_by_class() -> None:
    page = html.parse('<ul><li class="row row--own"><a href="/a?x=1&amp;y=2">A</a></li></ul>')

    assert html.attributes(page, ".//a", "href") == ["/a?x=1&y=2"]
    assert [each.tag for each in html.with_class(page, "row--own")] == ["li"]
    assert html.with_class(page, "row-") == []


def test_words_are_those_that_a_page_shows() -> None:
    page = html.parse(
        "<head><title>T</title></head><p>One<b>two</b>\n&lt;three&gt;</p><script>no()</script><p>four</p>"
    )

    assert html.words(page) == "One two <three> four"


def test_templates_for_scripts_are_not_shown() -> None:
    response = SimpleNamespace(text="<p>One</p><div><template><p>Two</p></template></div>")

    assert html.source(html.shown(response)) == "<document><p>One</p><div></div></document>"


@pytest.mark.parametrize(
    "code", ["<style>a{}</style>", "<script>a()</script>", '<p style="a"></p>', '<p onclick="a"></p>']
)
def test_inline_code_is_found(code: str) -> None:
    assert len(html.inline_code(html.parse(f"<script src=/a.js></script>{code}"))) == 1


def test_wrongly_nested_elements_fail() -> None:
    with pytest.raises(AssertionError, match="</p>"):
        html.parse("<p><b>One</p></b>")
