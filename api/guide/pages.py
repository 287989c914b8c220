"""The pages of the guide, each rendered when it is first asked for and kept.

Bounded: there are as many as documents, 300 kB of Markdown in all, some 800 kB rendered.
"""

import html
from functools import cache
from pathlib import Path

from api.guide.render import Rendered, render
from api.pages.files import static_files

ENGLISH, GERMAN = "en", "de"
_TEXT = Path(__file__).parent / "text"
_TRANSLATED = Path(__file__).parent / GERMAN
TRANSLATED = ("operations",)
"""Pages that states, reasons, alerts and warnings link to: these paragraphs are there in German."""
TITLES = {
    "operations": "Operations",
    "dashboard": "Dashboard",
    "cli": "Command line",
    "cluster": "Cluster",
    "upgrading": "Upgrading",
    "mqtt": "MQTT and Home Assistant",
    "monitoring": "Monitoring",
    "hooks": "Hooks",
    "client": "Python client",
    "settings": "Settings",
    "http": "HTTP API",
    "live": "Live websocket",
    "fields": "Fields",
    "reliability": "Reliability",
    "architecture": "Architecture",
    "simulation": "Simulation",
    "contributing": "Contributing",
    "mutants": "Mutants",
}
"""What there is, in this order; operators come first."""

_SHELL = """<!doctype html>
<html lang="{language}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="dark light">
    <title>{title} | Lamplighter</title>
    <script src="../static/whole.js"></script>
    <link rel="icon" type="image/svg+xml" href="../static/{version}/icon.svg">
    <link rel="stylesheet" href="../static/{version}/style/base.css">
    <link rel="stylesheet" href="../static/{version}/style/guide.css">
    <script type="module" src="../static/{version}/guide.js"></script>
  </head>
  <body class="guide">
    <a class="skip" href="#text">{skip}</a>
    <header class="guide-head">
      <p class="brand">
        <img src="../static/{version}/icon.svg" alt="" width="30" height="30">
        <a href="../">Lamplighter</a>
      </p>
      <nav aria-label="Guide"><ul>{links}</ul></nav>
    </header>
    <main id="text" tabindex="-1">
{body}    </main>
  </body>
</html>
"""


@cache
def rendered(name: str, language: str = ENGLISH) -> Rendered:
    """The page of this name; in English where there is none in this language. Raises KeyError for
    another one."""
    if name not in TITLES:
        raise KeyError(name)
    if language == GERMAN and name in TRANSLATED:
        text = (_TRANSLATED / f"{name}.md").read_text(encoding="utf-8")
        return render(text, tuple(TITLES), translated=True)
    return render((_TEXT / f"{name}.md").read_text(encoding="utf-8"), tuple(TITLES))


@cache
def page(name: str, language: str = ENGLISH) -> bytes:
    """The whole page as it is sent. Raises KeyError for a name that is none."""
    told = rendered(name, language)
    german = language == GERMAN and name in TRANSLATED
    links = "".join(
        f'<li><a href="{each}"{" aria-current=page" if each == name else ""}>{title}</a></li>'
        for each, title in TITLES.items()
    )
    title = html.escape(told.title)
    return _SHELL.format(
        language=GERMAN if german else ENGLISH,
        skip="Zum Inhalt" if german else "To the content",
        version=static_files().version,
        title=title,
        links=links,
        body=told.body,
    ).encode()
