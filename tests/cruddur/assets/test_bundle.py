"""How the site's modules are found, and joined for production."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from cruddur.assets.bundle import CannotJoin, import_map, joined
from tests import html


def join(**modules: str) -> str:
    return joined("app", read=lambda name: modules[name.replace("/", "_")])


def test_the_import_map_names_every_module_by_its_path() -> None:
    imports = json.loads(import_map())["imports"]

    assert imports["page/timezone"] == "/static/js/page/timezone.js"
    assert len(imports) == len(list((settings.BASE_DIR / "static" / "js").rglob("*.js")))


def test_the_policy_lets_the_import_map_through_by_its_nonce(client: Client) -> None:
    response = client.get("/", HTTP_SEC_FETCH_MODE="navigate")

    (nonce,) = html.attributes(html.parse(response.text), ".//script[@type='importmap']", "nonce")
    assert f"'nonce-{nonce}'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]


def test_a_module_comes_once_and_after_those_that_it_imports() -> None:
    script = join(
        app='import "a";\nimport { b } from "live/b";\nb();\n',
        a='import { b as other } from "live/b";\nother();\n',
        live_b="export function b() {}\n",
    )

    assert script.count("function b() {}") == 1
    assert script.index("const $live_b") < script.index("const $a") < script.index("const $app")
    assert "const { b: other } = $live_b;" in script
    assert "const { b } = $live_b;" in script


def test_bundled_module_returns_its_exports() -> None:
    script = join(app="export const A = 1;\nexport async function b() {}\nexport class C {}\nconst d = 2;\n")

    assert "return { A, b, C };" in script


def test_names_over_several_lines_and_whole_modules_can_be_imported() -> None:
    script = join(
        app='import {\n  A,\n  B,\n} from "a";\nimport * as all from "a";\n', a="export const A = 1, B = 2;\n"
    )

    assert "const {\n  A,\n  B,\n} = $a;" in script
    assert "const all = $a;" in script


def test_lines_of_comment_are_left_out() -> None:
    text = (
        "// why\n/**\n * @param {string} a\n */\nfunction f(a) {\n  // how\n  /** @type {X} */ (a).b();\n}\n/* end */\n"
    )

    script = join(app=text)

    assert "why" not in script
    assert "@param" not in script
    assert "how" not in script
    assert "/** @type {X} */ (a).b();" in script


@pytest.mark.parametrize(
    "text",
    [
        'import a from "a";\n',
        "export default 1;\n",
        "export let a = 1;\n",
        "export { a };\n",
        'const a = await import("a");\n',
        "await a;\n",
        "const a = `\n// no comment\n`;\n",
    ],
)
def test_a_form_that_joining_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(CannotJoin, match=r"^app: "):
        join(app=text, a="")


def test_a_circle_is_refused_by_name() -> None:
    with pytest.raises(CannotJoin, match="app imports a imports app"):
        join(app='import "a";\n', a='import "app";\n')


def test_every_module_of_the_site_can_be_joined() -> None:
    root: Path = settings.BASE_DIR / "static" / "js"

    for file in root.rglob("*.js"):
        joined(file.relative_to(root).with_suffix("").as_posix(), read=lambda name: (root / f"{name}.js").read_text())
