"""A method of an installed package fails by name, and its maps fit what they explain."""

from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from ecgviz.errors import ExplanationError, InputError
from ecgviz.explain import METHODS, applicable, explain, find_method
from ecgviz.explain.methods import method_parameters
from tests.toys import Linear, even_beats, noise_record, toy_model

RECORD, BEATS = noise_record(), even_beats(9)
OURS = METHODS["input_x_gradient"]


def short(model, inputs, beats, label_index, *, seed, half=0.5):
    made = OURS.run(model, inputs, beats, label_index, seed=seed)
    return replace(made, values=made.values[:, : int(half * made.values.shape[1])])


def changed(**fields):
    def run(model, inputs, beats, label_index, *, seed):
        return replace(OURS.run(model, inputs, beats, label_index, seed=seed), **fields)

    return run


def raising(fault):
    def run(model, inputs, beats, label_index, *, seed):
        raise fault

    return run


def nothing(model, inputs, beats, label_index, *, seed):
    return None


def unsure(model):
    raise AttributeError("no such layer")


def half(model, inputs, beats, label_index, *, seed):
    return OURS.together(model, inputs, beats, label_index, seed=seed)[:0]


THEIRS = replace(OURS, together=None)


@pytest.fixture
def install(monkeypatch):
    """Offer a method as an installed package would, under the name "theirs"."""

    def _install(method):
        monkeypatch.setattr("tests.test_installed_methods.THEIRS", method)
        point = EntryPoint("theirs", "tests.test_installed_methods:THEIRS", "ecgviz.methods")
        monkeypatch.setattr("ecgviz.registry.entry_points", lambda group: [point] if group == "ecgviz.methods" else [])

    return _install


@pytest.fixture
def model():
    return toy_model(Linear(np.random.default_rng(0).normal(size=(1, 12, 1000))), labels=("MI",))


def test_a_sound_one_gives_its_map_and_keeps_its_parameters(install, model):
    install(replace(OURS, together=None))
    np.testing.assert_array_equal(
        explain(model, RECORD, "MI", "theirs", BEATS).values,
        explain(model, RECORD, "MI", "input_x_gradient", BEATS).values,
    )
    install(replace(OURS, run=short, together=None))
    assert method_parameters(find_method("theirs")) == ("half",)


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (short, r"made a map of 500 samples, and the network is fed 1000$"),
        (nothing, r"made NoneType where a map is needed \(ecgviz.types.Explanation\)$"),
        (raising(KeyError("layer")), r"failed \(KeyError: 'layer'\)$"),
        (changed(fs=50.0), r"made a map at 50 Hz from 0 s on, and the network is fed 100 Hz from 0 s on$"),
        (changed(leads=tuple("ABCDEFGHIJKL")), r"made a map of the leads A, B, .*, and the network is fed I, II, "),
        (changed(values=np.full((12, 1000), np.nan)), r"made a map that holds no number somewhere$"),
    ],
)
def test_one_that_fails_or_does_not_fit_is_refused_by_name(install, model, run, told):
    install(replace(OURS, run=run, together=None))
    with pytest.raises(ExplanationError, match=f"the installed method 'theirs' {told}"):
        explain(model, RECORD, "MI", "theirs", BEATS)


def test_a_map_less_than_there_are_records_is_refused(install, model):
    install(replace(OURS, together=half))
    with pytest.raises(ExplanationError, match="the installed method 'theirs' made 0 maps of 1 records"):
        explain(model, RECORD, "MI", "theirs", BEATS)


def test_its_own_refusal_passes(install, model):
    install(replace(OURS, run=raising(InputError("too short for it")), together=None))
    with pytest.raises(InputError, match=r"^too short for it$"):
        explain(model, RECORD, "MI", "theirs", BEATS)


def test_one_that_cannot_say_whether_it_applies_leaves_the_others_alone(install, model):
    install(replace(OURS, why_not=unsure))
    assert "theirs" not in applicable(model)
    assert set(applicable(model)) >= {"saliency", "integrated_gradients"}
    with pytest.raises(ExplanationError, match=r"'theirs' failed when it was asked about .*no such layer"):
        explain(model, RECORD, "MI", "theirs", BEATS)
