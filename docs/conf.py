# SPDX-License-Identifier: Apache-2.0
"""How Sphinx builds the site; `make docs` calls it."""

import sys
from pathlib import Path

import tvmgo

sys.path.insert(0, str(Path(__file__).parent))
from stubs import add_types, show_signature, skip_plain_calls

project = "tvmgo"
copyright = "the tvmgo authors. Licence: Apache-2.0"
version = release = tvmgo.__version__
html_title = f"tvmgo {version}"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
smartquotes = False  # compiler="auto" is code, in headings too
html_theme = "furo"
html_theme_options = {
    "navigation_with_keys": True,
    "top_of_page_buttons": [],  # who wants the sources has them
    "light_css_variables": {"code-font-size": "78%"},  # 95 columns on a desk
}
html_static_path = ["_static"]
html_css_files = ["site.css"]
pygments_style = "friendly"
pygments_dark_style = "monokai"

# Anchors of headings, as GitHub makes them: pages are read there, too.
myst_heading_anchors = 4
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# Of the extra `serve`, which the reference does not need.
autodoc_mock_imports = [
    "kserve",
    "grpc",
    "grpc_interceptor",
    "prometheus_client",
    "orjson",
    "ray",
    "starlette",
    "pyarrow",
]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {
    "members": True,
    "undoc-members": True,
    "special-members": "__call__",
}
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_google_docstring = False
napoleon_use_ivar = True

# Docstrings name things as `Model` or `shapes`: a link where there is such a thing, code where it
# is an argument.
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [
    (r"py:obj", r".*"),
    # Types of signatures that are other packages' or have no page of their own, and the words
    # by which docstrings describe types.
    (r"py:(class|data|exc|attr|meth|func)", r".*"),
]


def find_anywhere(app, env, node, content):
    """Link `Name` in a docstring of whichever module to the public name tvmgo.Name."""
    if node.get("refdomain") != "py" or "reftarget" not in node:
        return None
    name = node["reftarget"].rpartition(".")[2]
    domain = env.get_domain("py")
    for place in ("tvmgo", "tvmgo.model", "tvmgo.graph_executor", "tvmgo.compiler"):
        if found := domain.objects.get(f"{place}.{name}"):
            return (
                domain.resolve_xref(
                    env, node["refdoc"], app.builder, "obj", f"{place}.{name}", node, content
                )
                if found
                else None
            )
    return None


def setup(app):
    app.connect("autodoc-process-signature", show_signature)
    app.connect("autodoc-skip-member", skip_plain_calls)
    app.connect("autodoc-process-docstring", add_types)
    app.connect("missing-reference", find_anywhere)
