"""Words of the dashboard have a definition and a source, pages show them on hover, and the tour leads through pages."""

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest
from test_pages import PAGES, figures, texts, unescaped

from ecgviz import NOTICE, glossary
from ecgviz.checkpoint import available_models, load_model
from ecgviz.explain import METHODS
from ecgviz.ui import terms, titles, tour

ROOT = Path(__file__).resolve().parents[1]
TITLES = re.findall(r'st\.Page\(.*?title="([^"]+)"', (ROOT / "app.py").read_text(encoding="utf-8"))


def test_every_entry_names_a_source_that_can_be_looked_up_and_pages_that_exist():
    assert len({entry.term for entry in glossary.entries().values()}) == len(glossary.entries())
    for entry in glossary.entries().values():
        assert set(entry.pages) <= set(TITLES), entry.id
        modules = re.findall(r"ecgviz(?:\.\w+)+", entry.source)
        published = re.search(r"10\.\d{4,}/|arXiv:\d{4}\.\d{4,5}|\d{4}", entry.source)
        assert modules or published or entry.source.startswith(("the model's card", "its source")), entry.id
        for module in modules:
            path = ROOT / module.replace(".", "/")
            parent = path.parent
            assert path.is_dir() or path.with_suffix(".py").is_file() or parent.is_dir(), module


def test_every_method_and_every_label_of_a_network_has_an_entry():
    listed = set(terms.table()["term"])
    assert {method.title for method in METHODS.values()} <= listed
    for name in available_models():
        assert set(load_model(name).labels) <= listed
    assert not terms.table()[["definition", "source"]].map(str.strip).eq("").any(axis=None)


def test_the_glossary_is_searched_and_says_when_nothing_is_found(app: AppTest):
    app.switch_page("pages/glossary.py").run()
    app.text_input(key="glossary search").set_value("bazett qtc formula").run()
    assert unescaped(texts(app)).count("No entry holds") == 1
    app.text_input(key="glossary search").set_value("60 bpm").run()
    assert list(app.table[0].value["term"]) == ["QT and QTc"]


def test_pages_define_their_words_on_hover(app: AppTest):
    (opened,) = [each for each in app.markdown if each.value.startswith("**Record.**")]
    assert "**PR interval.** From the onset of P" in opened.proto.help
    assert "A trained network" in app.selectbox(key="model").help


def test_each_page_opens_with_one_sentence_on_how_to_read_it(app: AppTest):
    said = {**titles.OF_A_RECORDING, **titles.OF_MORE}
    assert sorted([*titles.OF_A_RECORDING, *titles.OF_MORE]) == sorted(TITLES)
    for page in PAGES:
        title = page.replace("_", " ").capitalize()
        app.switch_page(f"pages/{page}.py").run()
        notice, opening = (each.value for each in app.main.markdown[:2])
        assert NOTICE in notice
        assert opening == f"**{title}.** {said[title]}"
        assert said[title].endswith(".")


def test_a_page_about_a_recording_says_what_to_do_without_one(app: AppTest):
    for title in titles.OF_A_RECORDING:
        app.switch_page(f"pages/{title.lower().replace(' ', '_')}.py").run()
        assert "Choose a demo recording" in app.info[0].value, title
        assert len(app.main.markdown) == len(["the notice", "the page's opening"])


def test_the_tour_leads_through_its_pages_on_a_demo_and_ends(app: AppTest):
    app.button(key="tour start").click().run()
    assert not app.exception
    said = unescaped(texts(app))
    assert f"**Tour, 1 of {len(tour.STEPS)}.**" in said
    assert app.button(key="tour back").disabled
    assert "demo:inferior_stemi" in str(figures(app)[0]["layout"]["annotations"])
    app.button(key="tour next").click().run()
    assert "**Beats.**" in texts(app)
    assert f"**Tour, 2 of {len(tour.STEPS)}.**" in texts(app)
    app.button(key="tour end").click().run()
    assert "Tour, " not in texts(app)
    assert all((ROOT / "pages" / f"{step.page}.py").is_file() for step in tour.STEPS)
    words = sum(len(step.text.split()) for step in tour.STEPS)
    assert words < 2 * 200  # two minutes of reading
